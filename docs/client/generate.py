#!/usr/bin/env python3
"""Writes a Python client from the OpenAPI document of a Tributary installation.

    python3 generate.py https://admin.example/openapi.json > tributary.py

The document may be a file, too. Neither this nor what it writes needs anything but Python's own library: a
method for each operation, a generator over all pages for each list, and `Problem` for every refusal.
"""

import json
import keyword
import sys
import urllib.request

HEAD = '''"""A client of the Tributary API, version {version}; written by docs/client/generate.py."""

import json
import urllib.error
import urllib.parse
import urllib.request


class Problem(Exception):
    """Why a request was not done (RFC 9457)."""

    def __init__(self, status, fields, retry_after):
        super().__init__("{{}} {{}}: {{}}".format(status, fields.get("code"), fields.get("detail")))
        self.status = status
        self.code = fields.get("code")
        self.detail = fields.get("detail")
        self.errors = {{error["pointer"]: error["detail"] for error in fields.get("errors", [])}}
        self.retry_after = retry_after  # Seconds, if it is worth trying again.


class Object(dict):
    """What came back, and the tag by which it can be changed unseen by nobody else."""

    etag = None


class Client:
    """One installation, asked with one key."""

    def __init__(self, url, key, timeout=30):
        self._url, self._key, self._timeout = url.rstrip("/"), key, timeout

    def _ask(self, method, path, query=None, body=None, headers=None):
        given = {{name: value for name, value in (query or {{}}).items() if value is not None}}
        url = self._url + path + ("?" + urllib.parse.urlencode(given) if given else "")
        is_file = isinstance(body, bytes)
        data = body if body is None or is_file else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Authorization", "Bearer " + self._key)
        if data is not None:
            request.add_header("Content-Type", "text/csv" if is_file else "application/json")
        for name, value in (headers or {{}}).items():
            if value is not None:
                request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return self._read(answer)
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None
            raise self._problem(error) from None

    @staticmethod
    def _read(answer):
        text = answer.read().decode()
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return text or None
        read = Object(json.loads(text))
        read.etag = answer.headers.get("ETag")
        return read

    @staticmethod
    def _problem(error):
        try:
            fields = json.loads(error.read().decode())
        except ValueError:  # Not ours: a proxy between.
            fields = {{"code": "http_" + str(error.code), "detail": error.reason}}
        return Problem(error.code, fields, error.headers.get("Retry-After"))
'''

PAGES = '''
    def {name}_all(self, **query):
        """Every row of `{name}`, page by page."""
        cursor = None
        while True:
            page = self.{name}({first}cursor=cursor, **query)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return
'''


def resolved(document, value):
    """What a reference leads to."""
    while "$ref" in value:
        at = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        value = at
    return value


def python_name(name):
    name = name.lower().replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name


def method(document, path, verb, operation):
    """One operation as a method."""
    parameters = [resolved(document, p) for p in operation.get("parameters", [])]
    there = {place: [p["name"] for p in parameters if p["in"] == place] for place in ("path", "query", "header")}
    body = operation.get("requestBody")
    arguments = ["self"] + [python_name(name) for name in there["path"]]
    if body:
        arguments.append("body" if body.get("required") else "body=None")
    named = [python_name(name) + "=None" for name in there["query"] + there["header"]]
    if named:
        arguments += ["*"] + named
    given = ["{!r}".format(verb.upper()), address(path, there["path"])]
    for keyword_, names in (("query", there["query"]), ("headers", there["header"])):
        if names:
            pairs = ", ".join("{!r}: {}".format(name, python_name(name)) for name in names)
            given.append("{}={{{}}}".format(keyword_, pairs))
    if body:
        given.append("body=body")
    name = operation["operationId"]
    lines = [
        "",
        "    def {}({}):".format(name, ", ".join(arguments)),
        '        """{}"""'.format(operation["summary"]),
        "        return self._ask({})".format(", ".join(given)),
        "",
    ]
    text = "\n".join(lines)
    if "cursor" in there["query"]:
        first = "".join("query.pop({0!r}), ".format(python_name(n)) for n in there["path"])
        text += PAGES.format(name=name, first=first)
    return text


def address(path, names):
    """The path as an expression."""
    expression = repr(path)
    for name in names:
        quoted = "' + urllib.parse.quote(str({}), safe='') + '".format(python_name(name))
        expression = expression.replace("{" + name + "}", quoted)
    return expression.removesuffix(" + ''")


def client(document):
    """The whole module."""
    text = HEAD.format(version=document["info"]["version"])
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            text += method(document, path, verb, operation)
    return text


def read(source):
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source) as answer:
            return json.load(answer)
    with open(source, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(client(read(sys.argv[1])))
