"""Words that tell what a cell does: calls that read, write, draw, show or set options."""

from __future__ import annotations

from jupyter_blocks.wordsets import word_set

__all__ = [
    "DRAWING_MODULES",
    "GLANCES",
    "GLANCE_ATTRIBUTES",
    "GLANCE_METHODS",
    "LITTLE_WORDS",
    "PRINTS",
    "SHOWS",
    "VERBS",
    "draws",
    "is_seed",
    "is_setting",
    "is_unstored",
    "reads_outside",
    "verb",
    "writes",
]

_READS = word_set(
    """DataReader connect create_engine download execute fetchall fetchone from_csv fromfile
    genfromtxt glob imread iterdir listdir load loadmat loadtxt open_dataset read read_text
    get_data_yahoo get_dataset get_rdataset readlines rglob scandir urlopen urlretrieve walk"""
)
_READ_STARTS = ("fetch_", "load_", "read_", "scan_")
_NO_READS = word_set("load_ext load_state_dict load_weights read_only")

_WRITES = word_set(
    """dump export imsave imwrite put_object save savefig savetxt savez savez_compressed sendmail
    to_csv to_excel to_feather to_file to_gbq to_hdf to_json to_netcdf to_orc to_parquet to_pickle
    to_sql to_stata to_xml to_zarr upload_blob upload_file write writelines writerow writerows"""
)
_WRITE_STARTS = ("export_", "publish_", "save_", "send_", "upload_", "write_")
_TEXT_UNLESS_NAMED = word_set("to_csv to_json to_xml")
"""Give a text unless they are told a file."""

_WEB = word_set("client http httpx requests session urllib3")
_WEB_READS = word_set("get head request")
_WEB_WRITES = word_set("delete patch post put")

DRAWING_MODULES = word_set("altair bokeh matplotlib plotly plotnine pylab seaborn")
"""Modules whose calls draw."""

_DRAWS = word_set(
    """add_subplot area bar barh boxplot contour contourf countplot density heatmap hexbin hist
    histplot imshow kde lineplot matshow pairplot pie plot plot_surface scatter scatterplot
    set_title set_xlabel set_ylabel subplots tight_layout violinplot"""
)
_DRAW_STARTS = ("draw_", "plot_")

_SEEDS = word_set("manual_seed seed seed_everything set_random_seed set_seed set_seeds set_state")

_SETTINGS = _SEEDS | word_set(
    """basicConfig filterwarnings init_notebook_mode notebook rc register_matplotlib_converters
    reset_option set set_config set_context set_matplotlib_formats set_option set_palette
    set_printoptions set_style set_theme set_verbosity seterr simplefilter use"""
)

SHOWS = word_set(
    """bool display dir getsizeof help info len memory_usage pprint print profile repr str type"""
)
"""Functions that are called only to look at something."""

GLANCES = word_set("dir display getsizeof help id info len list pprint print repr str type")
"""Functions that look at values; those that look at a value that is computed for it do more."""

GLANCE_METHODS = word_set("copy describe head info keys memory_usage sample tail")
GLANCE_ATTRIBUTES = word_set(
    """axes columns dtype dtypes empty flat index itemsize name names nbytes ndim shape size values
    T __class__ __doc__ __name__ __version__"""
)

PRINTS = word_set("display pprint print show")
"""Functions and methods that show what they are given."""

_UNSTORED = word_set(
    """Connection Figure Lock PdfPages Pool Popen Session ThreadPoolExecutor add_subplot axes
    connect create_engine cursor dmatrices dmatrix figure gca gcf open reader subplot
    subplot_mosaic subplots urlopen writer"""
)
"""Calls whose result belongs to one process, or cannot be stored."""

_ITERATORS = word_set("enumerate filter iter map reversed zip")
"""Functions whose result is used up by reading it."""

_VERBS: tuple[tuple[str, frozenset[str]], ...] = (
    ("split", word_set("train_test_split random_split")),
    ("fit", word_set("cross_val_score fit fit_predict fit_transform partial_fit train")),
    ("predict", word_set("predict predict_proba forecast")),
    ("score", word_set("score accuracy_score classification_report confusion_matrix r2_score")),
    ("join", word_set("concat join merge merge_asof merge_ordered")),
    ("summarize", word_set("agg aggregate crosstab describe group_by groupby pivot_table")),
    ("reshape", word_set("explode melt pivot stack unstack")),
    ("clean", word_set("astype drop drop_duplicates dropna fillna rename replace to_datetime")),
    ("select", word_set("filter isin loc nlargest nsmallest query sample")),
    ("sort", word_set("sort_index sort_values")),
)


VERBS = frozenset({"load", "write", "draw", "show", "run", "make", "change", "compute", "compare"})
VERBS |= {"build", "create", "plot", "read", "get", "train", "estimate", "select", "test"}
VERBS |= {word for word, _ in _VERBS}
"""Words with which the name of a block may begin."""

LITTLE_WORDS = word_set(
    """conclusion example examples exercise exercises introduction overview part setup solution
    solutions step summary
    a about above all also an and are as at be below but by can could each first for from has have
    how i if in into is it its let lets me more my next now of on or other our out should so some
    that the their then there these this those to up us use using want was we what when where which
    will with would you your"""
)
"""Words of a heading that a name does without."""


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


def is_seed(function: str) -> bool:
    """Whether a function of this name starts a stream of random numbers."""
    return function in _SEEDS


def is_setting(function: str) -> bool:
    """Whether a function of this name, called of a module, sets an option."""
    return function in _SETTINGS


def is_unstored(function: str, owner: str) -> bool:
    """Whether the result of a call of `owner.function` had better not leave its block."""
    return function in _UNSTORED or (not owner and function in _ITERATORS)


def verb(functions: frozenset[str]) -> str:
    """What a cell does that calls these functions, in a word; empty if nothing stands out."""
    return next((word for word, known in _VERBS if functions & known), "")
