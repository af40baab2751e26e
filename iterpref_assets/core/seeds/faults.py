"""The ways in which a generator's response can be malformed."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with a response; the first that is found is the one that counts.

    Of any response: TRUNCATED (it ended at its token limit), EMPTY.
    Of a task: MISSING_SECTION, REPEATED_SECTION, BAD_SIGNATURE (not the first line of a function).
    Of a program with tests: NO_FILES; FILE_WITHOUT_CODE, CODE_WITHOUT_FILE, UNCLOSED_CODE;
    BAD_FILE_NAME (not a module's), REPEATED_FILE; NO_TRAILER, REPEATED_TRAILER, TRAILER_NOT_JSON,
    TRAILER_FIELDS, OTHER_FILE_NAMES (than the files above it); NO_TEST_FILE, SEVERAL_TEST_FILES,
    NO_SOLUTION_FILE, SEVERAL_SOLUTION_FILES; NO_PYTHON (a file does not parse); NO_FUNCTION (the
    solution lacks the one that is asked for); NO_ASSERTIONS; NOT_IMPORTED (the tests do not import
    the solution).
    """

    TRUNCATED = "truncated"
    EMPTY = "empty"
    MISSING_SECTION = "missing_section"
    REPEATED_SECTION = "repeated_section"
    BAD_SIGNATURE = "bad_signature"
    NO_FILES = "no_files"
    FILE_WITHOUT_CODE = "file_without_code"
    CODE_WITHOUT_FILE = "code_without_file"
    UNCLOSED_CODE = "unclosed_code"
    BAD_FILE_NAME = "bad_file_name"
    REPEATED_FILE = "repeated_file"
    NO_TRAILER = "no_trailer"
    REPEATED_TRAILER = "repeated_trailer"
    TRAILER_NOT_JSON = "trailer_not_json"
    TRAILER_FIELDS = "trailer_fields"
    OTHER_FILE_NAMES = "other_file_names"
    NO_TEST_FILE = "no_test_file"
    SEVERAL_TEST_FILES = "several_test_files"
    NO_SOLUTION_FILE = "no_solution_file"
    SEVERAL_SOLUTION_FILES = "several_solution_files"
    NO_PYTHON = "no_python"
    NO_FUNCTION = "no_function"
    NO_ASSERTIONS = "no_assertions"
    NOT_IMPORTED = "not_imported"


class MalformedError(ValueError):
    """A response that cannot be read; `fault` says why, the message what exactly."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(detail)
        self.fault = fault
