"""Words that tell what a cell does: calls that read, write, draw, show or set options."""

from __future__ import annotations

__all__ = ["DRAWING_MODULES", "SHOWS", "draws", "is_setting", "reads_outside", "verb", "writes"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READS = _words(
    """DataReader connect create_engine download execute fetchall fetchone from_csv fromfile
    genfromtxt glob imread iterdir listdir load loadmat loadtxt open_dataset read read_text
    readlines rglob scandir urlopen urlretrieve walk"""
)
_READ_STARTS = ("fetch_", "load_", "read_", "scan_")
_NO_READS = _words("load_ext load_state_dict load_weights read_only")

_WRITES = _words(
    """dump export imsave imwrite put_object save savefig savetxt savez savez_compressed sendmail
    to_csv to_excel to_feather to_file to_gbq to_hdf to_json to_netcdf to_orc to_parquet to_pickle
    to_sql to_stata to_xml to_zarr upload_blob upload_file write writelines writerow writerows"""
)
_WRITE_STARTS = ("export_", "publish_", "save_", "send_", "upload_", "write_")
_TEXT_UNLESS_NAMED = _words("to_csv to_json to_xml")
"""Give a text unless they are told a file."""

_WEB = _words("client http httpx requests session urllib3")
_WEB_READS = _words("get head request")
_WEB_WRITES = _words("delete patch post put")

DRAWING_MODULES = _words("altair bokeh matplotlib plotly plotnine pylab seaborn")
"""Modules whose calls draw."""

_DRAWS = _words(
    """add_subplot area bar barh boxplot contour contourf countplot density heatmap hexbin hist
    histplot imshow kde lineplot matshow pairplot pie plot plot_surface scatter scatterplot
    set_title set_xlabel set_ylabel subplots tight_layout violinplot"""
)
_DRAW_STARTS = ("draw_", "plot_")

_SETTINGS = _words(
    """basicConfig filterwarnings init_notebook_mode manual_seed notebook
    rc register_matplotlib_converters reset_option seed set set_config set_context
    set_matplotlib_formats set_option set_palette set_printoptions set_random_seed set_style
    set_theme set_verbosity seterr simplefilter use"""
)

SHOWS = _words(
    """bool display dir getsizeof help info len memory_usage pprint print profile repr str type"""
)
"""Functions that are called only to look at something."""

_VERBS: tuple[tuple[str, frozenset[str]], ...] = (
    ("split", _words("train_test_split random_split")),
    ("fit", _words("fit fit_transform partial_fit train")),
    ("predict", _words("predict predict_proba forecast")),
    ("score", _words("score accuracy_score classification_report confusion_matrix r2_score")),
    ("join", _words("concat join merge merge_asof merge_ordered")),
    ("summarize", _words("agg aggregate crosstab describe group_by groupby pivot_table")),
    ("reshape", _words("explode melt pivot stack unstack")),
    ("clean", _words("astype drop drop_duplicates dropna fillna rename replace to_datetime")),
    ("select", _words("filter isin loc nlargest nsmallest query sample")),
    ("sort", _words("sort_index sort_values")),
)


def reads_outside(function: str, owner: str) -> bool:
    """Whether a call of `owner.function` reads data from outside the notebook."""
    if function in _WEB_READS:
        return owner in _WEB
    if function in _NO_READS:
        return False
    return function in _READS or function.startswith(_READ_STARTS)


def writes(function: str, owner: str, *, has_arguments: bool) -> bool:
    """Whether a call of `owner.function` writes data to the outside."""
    if function in _WEB_WRITES:
        return owner in _WEB
    if function in _TEXT_UNLESS_NAMED and not has_arguments:
        return False
    return function in _WRITES or function.startswith(_WRITE_STARTS)


def draws(function: str) -> bool:
    """Whether a call of a method or function of this name draws."""
    return function in _DRAWS or function.startswith(_DRAW_STARTS)


def is_setting(function: str) -> bool:
    """Whether a function of this name, called of a module, sets an option."""
    return function in _SETTINGS


def verb(functions: frozenset[str]) -> str:
    """What a cell does that calls these functions, in a word; empty if nothing stands out."""
    return next((word for word, known in _VERBS if functions & known), "")
