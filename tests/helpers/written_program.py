"""What a generator writes about a task: a program of one function, its test file, the trailer."""

PROGRAM = """<file>add.py</file>
```python
def add(x, y):
    return x + y
```
<file>test_add.py</file>
```python
from add import add

assert add(3, 5) == 8
```
<json>{"file_names": ["add.py", "test_add.py"], "packages": []}</json>"""
