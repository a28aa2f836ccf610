# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
"""A script that became a notebook."""
import sys
import argparse
from typing import Dict, List, Optional, Tuple

# %%
DEBUG = False
VERSION: str = "1.0"
Grid = List[List[int]]

# %%
def parse(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=6)
    return parser.parse_args(argv or [])

# %%
def step(grid: Grid) -> Grid:
    size = len(grid)

    def alive(i: int, j: int) -> bool:
        near = sum(
            grid[(i + a) % size][(j + b) % size]
            for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)
        )
        return near == 3 or (near == 2 and grid[i][j] == 1)

    return [[int(alive(i, j)) for j in range(size)] for i in range(size)]

# %%
def main(argv=None):
    args = parse(argv)
    grid = [[0] * args.size for _ in range(args.size)]
    for i, j in [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)]:
        grid[i][j] = 1
    for _ in range(4):
        grid = step(grid)
    if DEBUG:
        print(grid, file=sys.stderr)
    return grid

# %%
if __name__ == "__main__":
    result = main()
    print("\n".join("".join(".#"[cell] for cell in row) for row in result))

# %%
alive: int = sum(map(sum, result))
alive

# %%
best: Dict[str, Tuple[int, int]] = {}
for size in (5, 6, 7):
    best[f"size {size}"] = size, sum(map(sum, main(["--size", str(size)])))
best

# %%
counter = 0
while True:
    counter += 1
    if counter % 2: continue
    if counter > 9: break
else:
    counter = -1
counter

# %%
assert counter == 10, "even and above nine"
