"""Which statements set something that a whole process sees: an option, an attribute of a module.

Asked of single statements, with the modules that their names stand for. That such a statement holds
for later blocks is for `options`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable

from jupyter_blocks.binding.statements import dotted_name, is_setting_call
from jupyter_blocks.wordsets import word_set

__all__ = ["STATE", "OptionCalls", "adds_up", "may_set", "sets_hash_seed"]

_SETTERS = ("set_", "enable_", "disable_")
_CALLS = word_set(
    """csv.field_size_limit csv.register_dialect csv.unregister_dialect copyreg.pickle
    dask.config.set decimal.setcontext gc.disable gc.enable gc.freeze gc.set_threshold
    holoviews.extension jax.config.update logging.addLevelName logging.captureWarnings
    logging.config.dictConfig logging.config.fileConfig logging.disable logging.setLogRecordFactory
    logging.setLoggerClass matplotlib.colormaps.register matplotlib.pyplot.xkcd matplotlib.rc_file
    mimetypes.add_type numpy.setbufsize numpy.seterrcall os.environ.clear os.environ.pop
    os.environ.popitem os.putenv os.umask os.unsetenv panel.extension seaborn.reset_defaults
    seaborn.reset_orig socket.setdefaulttimeout sympy.init_printing sys.setswitchinterval
    time.tzset warnings.resetwarnings altair.renderers.enable altair.themes.enable"""
)
"""Functions by their full names, besides those of `statements.is_setting_call`."""
_ASKS_WITHOUT_ARGUMENTS = frozenset(("csv.field_size_limit",))
_LOGGER_METHODS = word_set("addFilter addHandler removeFilter removeHandler setLevel setFormatter")
_CONTENT_METHODS = word_set(
    "append clear discard extend insert pop popitem remove setdefault update"
)
"""Methods of lists and dicts that modules of the standard library have: `sys.argv.append(x)`."""
_ADDING = word_set("addFilter addHandler append extend insert prepend")
_ATTRIBUTE_FUNCTIONS = frozenset(("delattr", "setattr"))
_NAMESPACES = frozenset(("getattr", "vars"))
_NO_OPTION = frozenset(("PYTHONHASHSEED",))
"""Variables of the environment that nobody reads once Python runs."""

_STATE = frozenset(("get_logger", "getLogger", "getcontext"))
"""Functions that give something of the whole process, not a new thing."""
_HANDLERS = word_set(
    """logging.Filter logging.Formatter logging.NullHandler logging.StreamHandler"""
)
"""What loggers are given, and any process makes alike."""
STATE = "state of the process"
"""The module of a name that stands for such."""

Origins = Callable[[str], str]


class OptionCalls:
    """Tells the statements that set options, given what names stand for."""

    def __init__(self, module_of: Origins, is_definition: Callable[[str], bool]) -> None:
        self._module_of = module_of
        self._is_definition = is_definition

    def sets(self, node: ast.stmt) -> bool:
        """`np.float = float`, `pl.Config.set_tbl_rows(5)`: something of a module is changed."""
        match node:
            case ast.Pass():
                return True
            case ast.Assign(targets=targets, value=value):
                if all(isinstance(target, ast.Name) for target in targets):  # old = np.seterr(...)
                    return isinstance(value, ast.Call) and self._calls_for_value(value)
                return all(map(self._is_of_module, targets))
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                return not isinstance(target, ast.Name) and self._is_of_module(target)
            case ast.Delete(targets=targets):
                plain = any(isinstance(target, ast.Name) for target in targets)
                return not plain and all(map(self._is_of_module, targets))
            case ast.Expr(value=ast.Call() as call):
                return self.calls(call)
        return False

    def state_name(self, node: ast.stmt) -> str:
        """`logger` in `logger = logging.getLogger()`: it stands for state of the process."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                path = dotted_name(function)
                module = self._module_of(path.partition(".")[0])
                made = path.rpartition(".")[2]
                if module and (made in _STATE or (_full(module, path) in _HANDLERS)):
                    return name
        return ""

    def calls(self, call: ast.Call) -> bool:
        """Whether a call made for its effect sets an option."""
        if isinstance(call.func, ast.Name) and call.func.id in _ATTRIBUTE_FUNCTIONS:
            return bool(call.args) and self._is_of_module(call.args[0])
        if self._is_logging(call.func):
            return True
        path = dotted_name(call.func)
        module = self._module_of(path.partition(".")[0])
        if not module:
            return False
        full = _full(module, path)
        is_setter = path.rpartition(".")[2].startswith(_SETTERS)
        is_setter = is_setter and not module.startswith("matplotlib.pyplot")
        return is_setter or is_setting_call(call) or _is_known(full, call) or _fills(full)

    def _calls_for_value(self, call: ast.Call) -> bool:
        if not self._is_of_module(call.func):
            return False
        path = dotted_name(call.func)
        full = _full(self._module_of(path.partition(".")[0]), path)
        return is_setting_call(call) or _is_known(full, call)

    def _is_logging(self, function: ast.expr) -> bool:
        """`logging.getLogger("x").setLevel(...)`, `logging.root.addHandler(...)`."""
        if not isinstance(function, ast.Attribute) or function.attr not in _LOGGER_METHODS:
            return False
        owner = function.value
        called = isinstance(owner, ast.Call) and dotted_name(owner.func).endswith(
            ("getLogger", "get_logger")
        )
        return self._is_of_module(owner) and (called or not isinstance(owner, ast.Call))

    def _is_of_module(self, target: ast.expr) -> bool:
        """Whether something of a module, or of a class or function all blocks share, is meant."""
        while isinstance(target, ast.Attribute | ast.Subscript | ast.Call):
            if not isinstance(target, ast.Call):
                target = target.value
            elif isinstance(target.func, ast.Name) and target.func.id in _NAMESPACES:
                target = target.args[0] if target.args else target.func
            elif dotted_name(target.func).rpartition(".")[2] in _STATE:
                target = target.func
            else:
                return False
        name = target.id if isinstance(target, ast.Name) else ""
        return bool(self._module_of(name)) or self._is_definition(name)


def may_set(node: ast.stmt) -> bool:
    """Whether a simple statement may set an option, if its names are modules."""
    match node:
        case ast.Pass():
            return True
        case ast.Assign(targets=targets, value=value):
            plain = all(isinstance(target, ast.Name) for target in targets)
            return not plain or isinstance(value, ast.Call)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return not isinstance(target, ast.Name) and not _is_hash_seed(target)
        case ast.Delete(targets=targets):
            return not any(isinstance(target, ast.Name) for target in targets)
        case ast.Expr(value=ast.Call()):
            return True
    return False


def sets_hash_seed(node: ast.stmt) -> bool:
    """`os.environ["PYTHONHASHSEED"] = "0"`: Python has read it long since."""
    return isinstance(node, ast.Assign) and all(map(_is_hash_seed, node.targets))


def _is_hash_seed(target: ast.expr) -> bool:
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.slice, ast.Constant)
        and target.slice.value in _NO_OPTION
    )


def adds_up(node: ast.stmt) -> bool:
    """Whether to say a statement twice is something else than to say it once."""
    match node:
        case ast.AugAssign():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) for target in targets)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            return method in _ADDING
    return False


def _full(module: str, path: str) -> str:
    rest = path.partition(".")[2]
    return f"{module}.{rest}" if rest else module


def _is_known(full: str, call: ast.Call) -> bool:
    if full in _ASKS_WITHOUT_ARGUMENTS and not (call.args or call.keywords):
        return False
    return full in _CALLS


def _fills(full: str) -> bool:
    """Whether a list or a dict of the standard library is changed, other than the search path."""
    owner, _, method = full.rpartition(".")
    is_standard = owner.partition(".")[0] in sys.stdlib_module_names
    return is_standard and "." in owner and method in _CONTENT_METHODS and owner != "sys.path"
