"""Promises of `magics`: cells become plain Python, line by line, and nothing is lost silently."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_blocks.magics import Plain, strip_magics

PLAIN_PYTHON = [
    "x = 5 % 3",
    "x = (a\n % b)",
    "x = a \\\n % b",
    "x = [a\n   != b]",
    "text = '''\n%time\n!ls\ndf?\n'''",
    'text = r"""\n%matplotlib inline\n\\"""\n%time\n"""',
    "x %= 3",
    "x: int = 5 % y",
    "f(x='%s' % y, z=1)",
    "print('what?')",
    "x = 3  # why?",
    "x = 'it is'  # isn't it?\ny = \"%who\"",
    "assert x != 3 == y",
    "a = b == c",
    "# %time is a magic\nx = 1",
    "f(\n# a bracket ( in a comment\n)\ny = '('\nz = 4",
    "x = f'{a!r:>10}'",
    "x = '\\\n%time'",
    "lst = [\n    1,\n    2]\nx /= 2",
    "x = 'a' \\\n    '%d' % 3",
    "@decorated\ndef f(): return 1",
]


@pytest.mark.parametrize("source", PLAIN_PYTHON)
def test_plain_python_is_left_alone(source: str) -> None:
    """`%`, `!` and `?` in strings, comments and expressions are Python; IPython agrees."""
    assert strip_magics(source) == Plain(source)
    assert TransformerManager().transform_cell(source).rstrip("\n") == source


LEFT_OUT = [
    "%matplotlib inline",
    "%load_ext autoreload",
    "%reload_ext autoreload",
    "%autoreload 2",
    "%config InlineBackend.figure_format = 'retina'",
    "%precision 3",
    "%pprint",
    "%xmode Verbose",
    "%who",
    "%env",
    "%env HOME",
    "%pip install polars",
    "%conda install polars",
    "!pip install polars",
    "!python -m pip install -q polars",
    "!{sys.executable} -m pip install polars",
    "!apt-get -y install graphviz",
    "df?",
    "df.head??",
    "?df",
    "??df.head",
    "np.*load*?",
    "%timeit?",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "get_ipython().magic('matplotlib inline')",
    "%timeit x = f(1)",
]


@pytest.mark.parametrize("command", LEFT_OUT)
def test_commands_for_the_notebook_become_comments_with_a_note(command: str) -> None:
    """The text stays as a comment, at its line, and the note says why it may go."""
    plain = strip_magics(f"x = 1\n{command}\ny = 2", first_line=11)
    assert plain.source == f"x = 1\n# {command}\ny = 2"
    assert [line for line, _text in plain.notes] == [12]
    assert plain.problems == ()


UNWRAPPED = [
    ("%time df = f(x)", "df = f(x)"),
    ("%time df.head();", "df.head();"),
    ("%timeit -n 10 -r3 -q f(x)", "f(x);"),
    ("%prun -l 10 -s cumulative f(x)", "f(x);"),
    ("%memit f(x)", "f(x);"),
    ("%lprun -f f f(x)", "f(x);"),
    ("%xdel df", "del df"),
    ("total = %time sum(x)", "total = sum(x)"),
    ("if x:\n    %time f(x)", "if x:\n    f(x)"),
    ("%time f(a, \\\n    b)", "f(a, b)\n# b)"),
    ("%%time\nx = 1", "# %%time\nx = 1"),
    ("\n%%time\nx = 1", "\n# %%time\nx = 1"),
    ("%%capture out --no-stderr\nx = 1", "# %%capture out --no-stderr\nx = 1"),
    ("%%prun -l 5\nx = 1", "# %%prun -l 5\nx = 1"),
    ("%%timeit -n 3\nf(x)", "# %%timeit -n 3\nf(x);"),
    ("%%timeit\nf('é')  # why\n", "# %%timeit\nf('é');  # why\n"),
    ("%%prun\nx = 1\nf(x,\n  1)", "# %%prun\nx = 1\nf(x,\n  1);"),
    ("%%memit\nf(x) ;", "# %%memit\nf(x) ;"),
    ("%%time\nf(x)", "# %%time\nf(x)"),
    (
        "%%time\n%%capture\n%matplotlib inline\nx = 1",
        "# %%time\n# %%capture\n# %matplotlib inline\nx = 1",
    ),
]


@pytest.mark.parametrize(("source", "expected"), UNWRAPPED)
def test_timing_and_capturing_are_unwrapped(source: str, expected: str) -> None:
    """The code that is timed or captured stays as code, on its line."""
    plain = strip_magics(source)
    assert plain.source == expected
    assert plain.notes
    assert plain.problems == ()


def test_names_in_a_timeit_cell_do_not_reach_the_notebook() -> None:
    """IPython times the cell in a namespace of its own, so the cell is left out."""
    plain = strip_magics("%%timeit\nx = f(1)\n\ny = x")
    assert plain.source == "# %%timeit\n# x = f(1)\n\n# y = x"
    assert "nothing that it assigns ever reaches the notebook" in plain.notes[0].text


def test_the_name_of_captured_output_is_said_to_be_lost() -> None:
    """`%%capture out` binds `out`, which the exported block does not."""
    assert "'out'" in strip_magics("%%capture out\nf()").notes[0].text


REFUSED = [
    ("!ls -la", "# !ls -la", "subprocess.run(['ls', '-la'], check=True)"),
    ("!!ls", "# !!ls", "subprocess.run(['ls'], check=True)"),
    ("!cat a | head", "# !cat a | head", "subprocess.run('cat a | head', shell=True, check=True)"),
    ("!wget $url", "# !wget $url", "subprocess.run(f'wget {url}', shell=True, check=True)"),
    ("!wget {u + v}", "# !wget {u + v}", "subprocess.run(f'wget {u + v}', shell=True"),
    ("!ls \\\n  -la", "# !ls \\\n# -la", "subprocess.run(['ls', '-la'], check=True)"),
    ("!echo 'open", "# !echo 'open", "shell=True"),
    ("x = !ls", "x = None  # x = !ls", "x = subprocess.run(['ls'], check=True, capture_output"),
    ("a.b = !ls", "a.b = None  # a.b = !ls", ".stdout.splitlines()"),
    ("get_ipython().system('ls')", "# get_ipython().system('ls')", "subprocess.run(['ls']"),
    ("h = %env HOME", "h = None  # h = %env HOME", 'os.environ["HOME"]'),
    ("h = %pwd", "h = None  # h = %pwd", "os.getcwd()"),
    ("d = %sql select 1", "d = None  # d = %sql select 1", "d = pd.read_sql(query, connection)"),
    ("t = %timeit -o f()", "t = None  # t = %timeit -o f()", "run record"),
    ("%run lib/tools.py -x", "# %run lib/tools.py -x", "from tools import name"),
    ("%run other.ipynb", "# %run other.ipynb", "into a module"),
    ("%cd data", "# %cd data", 'Path("data") / name'),
    ("%env A=1", "# %env A=1", "os.environ[\"A\"] = '1'"),
    ("%set_env A b c", "# %set_env A b c", "os.environ[\"A\"] = 'b c'"),
    ("%pylab inline", "# %pylab inline", "import matplotlib.pyplot as plt"),
    ("%store x", "# %store x", "blocks hand values on"),
    ("%sql select 1", "# %sql select 1", "pd.read_sql"),
    ("%mkdir data", "# %mkdir data", "subprocess.run(['mkdir', 'data'], check=True)"),
    ("%unheard_of x", "# %unheard_of x", "Write it as Python"),
    ("/f x", "# /f x", "brackets"),
    (",f x", "# ,f x", "brackets"),
    ("if x:\n    !ls", "if x:\n    pass  # !ls", "subprocess.run"),
    ("%%bash\nls\n\npwd", "# %%bash\n# ls\n\n# pwd", 'subprocess.run(["bash"]'),
    ("%%sh\nls", "# %%sh\n# ls", 'subprocess.run(["sh"]'),
    ("%%!\nls", "# %%!\n# ls", 'subprocess.run(["bash"]'),
    ("%%sql\nselect 1", "# %%sql\n# select 1", "loader block"),
    ("%%writefile a.py\nx", "# %%writefile a.py\n# x", 'Path("a.py").write_text'),
    ("%%html\n<b>", "# %%html\n# <b>", "import HTML, display"),
    ("%%javascript\nx", "# %%javascript\n# x", "Javascript"),
    ("%%unheard_of\nx", "# %%unheard_of\n# x", "tag 'skip'"),
    ("# first\n%%time\nx", "# first\n# %%time\nx", "Split the cell"),
]


@pytest.mark.parametrize(("source", "expected", "remedy"), REFUSED)
def test_what_only_ipython_can_run_is_a_problem_with_a_remedy(
    source: str, expected: str, remedy: str
) -> None:
    """The line is named, the remedy is concrete, and the other lines can still be analysed."""
    plain = strip_magics(f"{source}\n" if source.startswith("%%") else f"{source}\nz = 1")
    assert plain.source.startswith(expected)
    assert len(plain.problems) == 1
    assert remedy in plain.problems[0].hint
    assert plain.source.count("\n") == source.count("\n") + 1
    ast.parse(plain.source)


def test_a_problem_names_its_line() -> None:
    """Lines count from the given first line, through cell magics and continued commands."""
    plain = strip_magics("%%time\nx = 1\n!ls \\\n -l\ny = (1\n% 2)\n!pwd", first_line=5)
    assert [problem.line for problem in plain.problems] == [7, 11]
    assert [problem.code for problem in plain.problems] == ["shell-command", "shell-command"]


def test_the_indentation_of_a_whole_cell_goes_as_in_ipython() -> None:
    """A cell that was pasted with its indentation runs in a notebook, and so it does here."""
    assert strip_magics("\n  if x:\n    y = 1\n  z = 2").source == "\nif x:\n  y = 1\nz = 2"


COMMANDS = [command for command in LEFT_OUT if not command.startswith("get_")]


@given(st.lists(st.sampled_from([*PLAIN_PYTHON, *COMMANDS, "!ls", "x = !ls", "%run a.py"])))
def test_any_mixture_keeps_its_lines_and_parses(parts: list[str]) -> None:
    """Whatever stands together in a cell: as many lines as before, and valid Python."""
    source = "\n".join(parts)
    plain = strip_magics(source)
    assert plain.source.count("\n") == source.count("\n")
    ast.parse(plain.source)
    starts = [sum(part.count("\n") + 1 for part in parts[:n]) + 1 for n in range(len(parts))]
    special = [n for n, part in zip(starts, parts, strict=True) if part not in PLAIN_PYTHON]
    assert sorted([*(n.line for n in plain.notes), *(p.line for p in plain.problems)]) == special
