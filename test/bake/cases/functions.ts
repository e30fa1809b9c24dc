import type { BakeCase } from '../bake-case.ts';
import { hcl } from '../bake-case.ts';

/** A target whose arguments are what these expressions are as JSON. */
const results = (name: string, expressions: readonly string[]): BakeCase =>
  hcl(
    name,
    `target "default" {\n  args = {\n${expressions
      .map((expression, at) => `    a${String(at).padStart(2, '0')} = jsonencode(${expression})\n`)
      .join('')}  }\n}\n`,
  );

/** Values and whether each expression can be evaluated. */
const attempts = (name: string, expressions: readonly string[]): BakeCase =>
  hcl(
    name,
    `target "default" {\n  args = {\n${expressions
      .map((expression, at) => `    a${String(at).padStart(2, '0')} = can(${expression})\n`)
      .join('')}  }\n}\n`,
  );

export const functionCases: readonly BakeCase[] = [
  results('function: numbers', [
    'absolute(-42)',
    'add(1, 2)',
    'ceil(1.2)',
    'ceil(-1.2)',
    'divide(7, 2)',
    'floor(1.8)',
    'floor(-1.2)',
    'int(6.9)',
    'int(-6.9)',
    'log(8, 2)',
    'log(10, 10)',
    'max(1, 5, 3)',
    'min(4, 2, 9)',
    'modulo(7, 3)',
    'multiply(3, 4)',
    'negate(3)',
    'parseint("ff", 16)',
    'parseint("-101", 2)',
    'parseint("zZ", 62)',
    'pow(2, 10)',
    'pow(2, 0.5)',
    'signum(-3)',
    'subtract(5, 8)',
    'range(3)',
    'range(1, 4)',
    'range(0, 10, 3)',
    'range(3, 0)',
    'range(-2)',
  ]),
  results('function: logic and comparison', [
    'and(true, false)',
    'or(true, false)',
    'not(true)',
    'equal(1, 1)',
    'notequal("a", "b")',
    'greaterthan(2, 1)',
    'greaterthanorequalto(1, 1)',
    'lessthan(1, 1)',
    'lessthanorequalto(1, 1)',
  ]),
  results('function: strings', [
    'chomp("a\\n\\n")',
    'indent(2, "a\\nb\\nc")',
    'join("-", ["a", "b"], ["c"])',
    'lower("ÄBC")',
    'replace("a.b.c", ".", "-")',
    'reverse("hello")',
    'sort(["c", "a", "B"])',
    'split(",", "a,b,,c")',
    'split("", "abc")',
    'strlen("h🙂i")',
    'substr("hello", 1, 3)',
    'substr("hello", -2, -1)',
    'substr("hello", 2, 100)',
    'title("hello big-world of_us")',
    'trim("xxhixx", "x")',
    'trimprefix("v1.2", "v")',
    'trimsuffix("a.hcl", ".hcl")',
    'trimspace("  a \\n")',
    'upper("abc")',
    'sanitize("a.b/c:d e")',
    'substr("hello", 0, 0)',
  ]),
  results('function: collections', [
    'chunklist(["a", "b", "c"], 2)',
    'coalesce(null, "", "x")',
    'coalesce(null, 1, "x")',
    'coalescelist([], ["a"])',
    'compact(["", "a", "", "b"])',
    'concat(["a"], ["b", 1])',
    'contains(["a", "b"], "b")',
    'distinct(["a", "b", "a"])',
    'element(["a", "b", "c"], 4)',

    'flatten([["a"], [], ["b", ["c"]]])',
    'hasindex(["a"], 0)',
    'hasindex(["a"], 1)',
    'index(["a", "b"], 1)',
    'keys({ b = 1, a = 2 })',
    'length(["a", "b"])',
    'length(split(",", "a,b,c"))',
    'lookup({ a = "x" }, "a", "d")',
    'lookup({ a = "x" }, "b", "d")',
    'merge({ a = 1 }, { b = 2, a = 3 })',
    'reverselist(["a", "b", 3])',
    'slice(["a", "b", "c", "d"], 1, 3)',
    'values({ b = 1, a = 2 })',
    'zipmap(["a", "b"], [1, "x"])',
    'concat(split(",", "a,b"), split(",", "c"))',
    'indexof(["a", "b"], "b")',
    'length({ a = 1 } == null ? [] : [1])',
  ]),
  results('function: sets', [
    'setunion(["b", "a"], ["c", "a"])',
    'setintersection(["a", "b"], ["b", "c"])',
    'setsubtract(["a", "b"], ["b"])',
    'setsymmetricdifference(["a", "b"], ["b", "c"])',
    'setproduct(["a", "b"], ["x", "y"])',
    'sethaselement(["a"], "a")',
    'setproduct([1, 2], ["x"], [true])',
    'setunion([3, 1], [2])',
  ]),
  results('function: encodings and digests', [
    'base64encode("hello")',
    'base64decode("aGVsbG8=")',
    'csvdecode("a,b\\n1,2\\n3,\\"x,y\\"")',
    'jsondecode("{\\"a\\":[1,2.5,null,true,\\"s\\"]}")',
    'jsonencode("<&>")',
    'md5("a")',
    'sha1("a")',
    'sha256("a")',
    'sha512("a")',
    'urlencode("a b&c=d/é~*")',
    'uuidv5("dns", "example.com")',
    'uuidv5("url", "https://example.com")',
    'uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x")',
    'strlen(uuidv4())',
    'strlen(bcrypt("pw", 4))',
  ]),
  results('function: regular expressions', [
    'regex("[a-z]+", "123abc456")',
    'regex("(\\\\d+)-(\\\\d+)", "12-34")',
    'regex("(?P<y>\\\\d{4})-(?P<m>\\\\d\\\\d)", "2020-05")',
    'regexall("[a-z]", "1a2b3c")',
    'regexall("x", "abc")',
    'regex_replace("abc123", "[0-9]+", "-")',
    'regex_replace("john smith", "(\\\\w+) (\\\\w+)", "$2 $1")',
    'regex("(?i)ABC", "xabc")',
    'regex("(a)|(b)", "b")',
    'regex_replace("aaa", "a", "$$")',
    'regex_replace("ab", "(?P<f>a)(b)", "\\${f}-$1x$2")',
  ]),
  results('function: format', [
    'format("%s-%d", "a", 5)',
    'format("%05d|%5s|%-5s|", 42, "ab", "cd")',
    'format("%.2f", 3.14159)',
    'format("%x %X %o %b", 255, 255, 8, 5)',
    'format("%t %v %v", true, "s", 1.5)',
    'format("%#v", [1, "a"])',
    'format("%q", "a\\"b")',
    'format("%%")',
    'format("%[2]s %[1]s", "a", "b")',
    'format("%e", 12345.678)',
    'format("%g", 0.00001)',
    'format("%v", { a = 1 })',
    'format("%+d", 5)',
    'format("%8.3f|", 2.5)',
    'formatlist("%s-%s", ["a", "b"], "x")',
    'formatlist("%d", [1, 2])',
    'format("%v", null)',
    'format("%.3s", "abcdef")',
    'format("%g", 100000)',
  ]),
  results('function: times', [
    'timeadd("2020-01-01T00:00:00Z", "1h30m")',
    'timeadd("2020-01-01T00:00:00+02:00", "-24h")',
    'formatdate("YYYY-MM-DD hh:mm:ss", "2020-03-04T05:06:07Z")',
    'formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")',
    'formatdate("EEE, M/D H:mm AA aa Z ZZZZ ZZZZZ", "2018-11-02T13:02:01-08:00")',
    'formatdate("\'it\'\'s\' h", "2020-03-04T05:06:07Z")',
    'strlen(timestamp())',
  ]),
  results('function: addresses', [
    'cidrhost("10.12.127.0/20", 16)',
    'cidrhost("10.12.127.0/20", -1)',
    'cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)',
    'cidrnetmask("172.16.0.0/12")',
    'cidrsubnet("172.16.0.0/12", 4, 2)',
    'cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)',
    'cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)',
  ]),
  results('function: try, can and convert', [
    'try(missing.a, "fallback")',
    'can(absent.a)',
    'can("x")',
    'try(jsondecode("{"), "bad")',
    'convert("5", number)',
    'convert([1, 2], list(string))',
    'convert({ a = "true" }, map(bool))',
    'basename("/a/b.c")',
    'dirname("/a/b/c.d")',
    'basename("/")',
    'dirname("x")',
  ]),
  attempts('function: what cannot be', [
    'parseint("zz", 10)',
    'range(0, 2000)',
    'element([], 0)',
    'index(["a"], 5)',
    'regex("x", "abc")',
    'formatdate("YYY", "2020-01-01T00:00:00Z")',
    'timeadd("2020-01-01", "1h")',
    'timeadd("2020-01-01T00:00:00Z", "1x")',
    'cidrhost("10.0.0.0/30", 9)',
    'cidrsubnet("10.0.0.0/30", 4, 0)',
    'jsondecode("{")',
    'base64decode("!")',
    'zipmap(["a"], [])',
    'convert("x", number)',
    'convert([], string)',
    'slice([1], 0, 5)',
    'upper(["a"])',
    'join(",", "a")',
    'keys(["a"])',
    'format("%d", "x")',
    'format("%s")',
    'format("a", 1)',
    'format("%z", 1)',
    'csvdecode("a,a\\n1,2")',
    'lookup(["a"], "b", "c")',
    'merge(["a"])',
    'concat("a", [])',
    'coalesce(null)',
    'max()',
    'substr("a", "x", 1)',
    'chunklist(["a"], -1)',
    'uuidv5("x", "y")',
    'setproduct(["a"])',
    'strlen(null)',
    'byteslen("a")',
    'hasindex({ a = 1 }, "a")',
    'index({ a = 1 }, "a")',
    'length({ a = 1 })',
    'length("abc")',
    '1 + "a"',
    '"a" < "b"',
    '[1] + 1',
    '!"x"',
    'true ? [1] : "x"',
  ]),
  hcl(
    'function: of the file',
    `function "increment" {
  params = [number]
  result = number + 1
}
function "tags" {
  params = [name]
  variadic_params = versions
  result = [for v in versions : "\${prefix}/\${name}:\${v}"]
}
function "twice" {
  params = [x]
  result = increment(increment(x))
}
function "none" {
  params = []
  result = "constant"
}
variable "prefix" { default = "example.com" }
target "default" {
  args = { a = increment(1), b = twice(5), c = none() }
  tags = tags("app", "1", "1.2")
}
`,
  ),
  hcl(
    'function: that calls itself',
    `function "f" {
  params = [x]
  result = f(x)
}
target "default" { args = { a = f(1) } }
`,
  ),
  hcl('function: without params', 'function "f" {\n  result = 1\n}\ntarget "default" {}\n'),
  hcl('function: without result', 'function "f" {\n  params = []\n}\ntarget "default" {}\n'),
];
