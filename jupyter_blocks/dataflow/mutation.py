"""Which calls may change a value in place: tables of well known functions and methods.

Nobody can know what a call does from its text alone. The rule is cautious where the result of a
call is thrown away, since such a call is made for its effect, and takes `y = f(x)` as pure except
for methods known to change their object; the tables say where common libraries differ.
"""

from __future__ import annotations

import ast
import re

from jupyter_blocks.wordsets import word_set

__all__ = [
    "ARGUMENT_GIVERS",
    "CHANGED_ARGUMENTS",
    "HOLDERS",
    "IMMUTABLE_ATTRIBUTES",
    "ITERATORS",
    "KEEPERS",
    "LAZY_ITERATORS",
    "PURE_DECORATORS",
    "RANDOM_NAME",
    "copies",
    "drawn_on",
    "gives_itself",
    "gives_part",
    "method_changes",
    "pure_function",
    "statement_changes",
]


HOLDERS = word_set("add append appendleft extend extendleft insert push put setdefault update")
"""Methods after which their object may hold their arguments."""

ITERATORS = word_set(
    """chain cycle dict enumerate filter from_iterable islice iter list map pairwise product
    reversed set sorted tuple zip zip_longest"""
)
"""Functions that give a new container or iterator over the elements of their arguments."""

LAZY_ITERATORS = word_set("chain cycle enumerate filter islice iter map reversed zip zip_longest")
"""Those that read their arguments only when they are read themselves."""

KEEPERS = word_set(
    "ChainMap FeatureUnion MappingProxyType Pipeline make_pipeline make_union partial"
)
"""Functions whose result holds the very objects that it was given, and changes them with itself."""

ARGUMENT_GIVERS = word_set(
    """DataFrame Series array_split asanyarray asarray ascontiguousarray asfarray asfortranarray
    atleast_1d atleast_2d atleast_3d broadcast_to diag dsplit expand_dims flip fliplr flipud
    from_numpy hsplit moveaxis real_if_close require rollaxis rot90 vsplit"""
)
"""Functions of modules whose result may share data with their first argument."""

CHANGED_ARGUMENTS = word_set(
    """anext clip_grad_norm_ clip_grad_value_ copyto delattr delitem fill_diagonal heapify heappop
    heappush heappushpop heapreplace insort insort_left insort_right next place put_along_axis
    putmask setattr setitem shuffle"""
)
"""Functions, plain or of a module, that change their first argument."""

_PURE_FUNCTIONS = word_set(
    """Counter DataFrame HTML Image Markdown Series abs all any ascii bin bool breakpoint bytearray
    bytes callable chr clear_output complex compile delattr dir display divmod eval exec exit float
    format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass len
    locals max memoryview min next object oct open ord pow pprint print quit range repr round
    setattr sleep slice str sum super type vars"""
)
"""Functions that, called for their effect alone, change none of their arguments. (Those of
`CHANGED_ARGUMENTS` change the first one all the same.)"""

_MEASURES = word_set(
    """acorr_ljungbox adfuller andrews_curves anova_lm autocorrelation_plot bartlett
    chi2_contingency coint cross_validate durbin_watson f_oneway het_breuschpagan influence_plot
    interaction_plot jarque_bera kendalltau kpss kruskal ks_2samp lag_plot levene linregress
    mannwhitneyu normaltest parallel_coordinates pearsonr plot_acf plot_ccpr plot_importance
    plot_pacf plot_partregress_grid plot_regress_exog plot_tree qqplot radviz scatter_matrix
    shapiro spearmanr summary_col train_test_split ttest_1samp ttest_ind ttest_rel
    variance_inflation_factor wilcoxon"""
)
"""Statistics and plots of common libraries, which a cell calls by their names to show them."""

_PURE_FUNCTION_ENDS = ("_curve", "_error", "_loss", "_matrix", "_report", "_score", "_test")
"""Ends of the names of measures, which a cell calls to show them."""

PURE_DECORATORS = word_set(
    """abstractmethod cache cached_property callback classmethod condition contextmanager custom
    data_exporter data_loader dataclass exporter final fixture jit loader lru_cache njit
    overload override property sensor setter singledispatch staticmethod test total_ordering
    transformer vectorize wraps"""
)
"""Decorators that do not call what they decorate."""

IMMUTABLE_ATTRIBUTES = word_set(
    """__class__ __doc__ __name__ columns dtype dtypes empty index itemsize name names nbytes ndim
    shape size stem suffix"""
)
"""Attributes whose value no statement on another name can change."""

RANDOM_NAME = re.compile(r"(^|_)(rng|generator)s?\d*($|_)")
"""Names of random generators: whoever is given one advances it."""

_CHANGING = word_set(
    """add add_trace append appendleft backward clear compile cuda difference_update discard
    extend extendleft fit fit_generator fit_predict fit_resample fit_transform
    fit_sample get_nowait insert insort intersection_update load_state_dict load_weights
    move_to_end partial_fit pop popitem popleft push put read readinto readline readlines remove
    reverse rotate seed seek send set_params set_state setdefault sort step summary_frame
    symmetric_difference_update throw train_on_batch truncate update write writelines writerow
    writerows zero_grad __delitem__ __setattr__ __setitem__
    bytes choice choices dirichlet exponential gauss getrandbits integers lognormal
    multivariate_normal normal permutation permuted poisson rand randint randn random
    random_sample randrange shuffle spawn standard_normal triangular uniform betavariate
    binomial binomialvariate chisquare expovariate gammavariate gumbel hypergeometric
    lognormvariate logseries multinomial negative_binomial noncentral_chisquare normalvariate
    paretovariate randbytes rayleigh standard_cauchy standard_exponential standard_gamma
    rvs standard_t tomaxint vonmises vonmisesvariate weibullvariate zipf"""
)
"""Methods that may change their object even where the result is used. The last lines are those of
random generators: each call advances the stream that later draws come from."""

_CHANGING_PREFIXES = ("add_", "update_", "append_", "remove_", "insert_")
_PURE_IN_SPITE_OF_PREFIX = frozenset({"add_prefix", "add_suffix", "add_categories"})

_SELF = word_set(
    """compile cpu cuda eval fit partial_fit requires_grad_ set_params to train update_layout
    update_traces"""
)
_PARTS = word_set(
    """__getitem__ diagonal get items pop popitem popleft ravel reshape setdefault squeeze swapaxes
    to_numpy transpose values view"""
)

_PURE_STATEMENTS = word_set(
    """abs agg aggregate aic align all any apply applymap argmax argmin argpartition argsort
    asfreq asof assign astype at_time backfill between between_time bfill bic bool cache
    capitalize casefold center clip collect collect_schema combine combine_first compare copy
    corr corrwith count cov createOrReplaceTempView cross_val_score cummax cummin cumprod cumsum
    decision_function decode describe diff dot drop drop_duplicates drop_nulls droplevel dropna
    dump duplicated encode endswith eq equals estimated_size evaluate ewm expanding explain
    explode export factorize ffill fillna filter find first first_valid_index flatten floordiv
    format ge get glimpse group_by groupby gt head histogram idxmax idxmin index infer_objects
    info interpolate inverse_transform isalpha isdigit isin isna isnull isoformat item items
    iterrows itertuples join keys kneighbors kurt kurtosis last last_valid_index le limit ljust
    log loglikelihood lower lstrip lt map mask max mean median melt memory_usage merge min mod
    mode mul n_unique ne nlargest nonzero notna notnull nsmallest null_count nunique pct_change
    persist pivot pivot_table pow predict predict_log_proba predict_proba printSchema prod
    profile quantile query radd rank ravel reindex rename rename_axis rename_categories
    reorder_levels repeat replace resample reset_index reshape result rfind rjust rolling round
    rsplit rstrip sample save save_weights savefig savetxt score score_samples select
    select_dtypes sem set_axis set_index shift show skew sort_index sort_values split splitlines
    squeeze stack startswith std strftime strip sub subtract sum summary summary2 swapaxes
    swaplevel tail take title toarray tobytes todense tolist trace transform translate transpose
    truediv tz_convert tz_localize unique unpersist unstack upper value_counts var where
    with_columns write_csv write_excel write_html write_image write_ipc write_json write_ndjson
    write_parquet xs zfill"""
)
"""Methods that change nothing even if their result is thrown away or only shown."""

_PURE_STARTS = ("as_", "get_", "has_", "is_", "to_")

_PLOTS = word_set(
    """area bar barh box boxplot density hexbin hist kde line pie plot scatter violin"""
)
"""Methods of tables, which they leave alone, and of axes, which they draw on."""

_AXES_NAME = re.compile(r"(^|_)(ax|axe|axi|axis|fig|figure|plot|chart|canvas|subplot)s?\d*($|_)")
_ACCESSORS = frozenset({"cat", "dt", "plot", "sparse", "str", "style"})


def method_changes(method: str) -> bool:
    """Whether `y = x.method()` may change `x`."""
    if method in _CHANGING:
        return True
    if method.startswith(_CHANGING_PREFIXES):
        return method not in _PURE_IN_SPITE_OF_PREFIX
    return method.endswith("_") and not method.startswith("_")


def pure_function(name: str) -> bool:
    """Whether the statement `name(x)` leaves `x` as it is."""
    return (
        name in _PURE_FUNCTIONS
        or name in _MEASURES
        or name in ITERATORS
        or name.startswith("assert")
        or name.endswith(_PURE_FUNCTION_ENDS)
    )


def statement_changes(called: ast.Attribute) -> bool:
    """Whether the statement `x.method()` may change `x`."""
    method, owner = called.attr, called.value
    if method in _PURE_STATEMENTS or method.startswith(_PURE_STARTS):
        return False
    if isinstance(owner, ast.Attribute) and owner.attr in _ACCESSORS:
        return False
    return method not in _PLOTS or _AXES_NAME.search(_root(owner)) is not None


def drawn_on(method: ast.Attribute) -> bool:
    """Whether what a method gives belongs to a figure or axes, as with `fig.add_subplot()`."""
    is_asked = method.attr.startswith(("get_", "set_", "is_", "has_"))
    return not is_asked and _AXES_NAME.search(_root(method.value)) is not None


def gives_itself(method: str) -> bool:
    """Whether the result of the method is its object, as with `model.fit(X)`."""
    return method in _SELF or (method.endswith("_") and not method.startswith("_"))


def gives_part(method: str) -> bool:
    """Whether the result of the method, or function, may share data with what it was given."""
    return method in _PARTS or method in ARGUMENT_GIVERS


def copies(index: ast.expr) -> bool:
    """Whether `x[index]` is a copy of `x` for certain: a list of columns, a condition."""
    return isinstance(index, ast.List | ast.Compare | ast.UnaryOp) and not (
        isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
    )


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
