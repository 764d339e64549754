# What jq defines in terms of itself. Compiled into a program only as far as that uses it.
# `map select map_values del path first/1 isempty range` and their like are the compiler's (specials.rs).

def in(object): . as $key | object | has($key);
def with_entries(f): to_entries | map(f) | from_entries;

def recurse(f): def down: ., (f | down); down;
def recurse: recurse(.[]?);
def recurse(f; condition): def down: ., (f | select(condition) | down); down;
def while(condition; update): def loop: if condition then ., (update | loop) else empty end; loop;
def until(condition; update): def loop: if condition then . else update | loop end; loop;
def repeat(f): def loop: f, loop; loop;

def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type | . == "array" or . == "object");
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def nulls: select(. == null);
def values: select(. != null);
def scalars: select(type | . != "array" and . != "object");
def finites: select(isfinite);
def normals: select(isnormal);

def combinations:
  if length == 0 then []
  else .[0][] as $item | [$item] + (.[1:] | combinations)
  end;
def combinations(n): [limit(n; repeat(.))] | combinations;
def walk(f):
  def down:
    if type == "array" then map(down)
    elif type == "object" then map_values(down)
    end | f;
  down;

def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; f):
  if $n < 0 then error("nth doesn't support negative index") else first(skip($n; f)) end;
def limit($n; f):
  if $n > 0 then
    label $done
    | foreach f as $item ($n; . - 1; $item, if . <= 0 then break $done else empty end)
  elif $n < 0 then error("limit doesn't support negative count")
  else empty
  end;
def skip($n; f):
  if $n > 0 then foreach f as $item ($n; . - 1; if . < 0 then $item else empty end)
  elif $n < 0 then error("skip doesn't support negative count")
  else f
  end;

def all(f; condition): isempty(f | select(condition | not));
def all(condition): all(.[]; condition);
def all: all(.);
def any(f; condition): isempty(f | select(condition)) | not;
def any(condition): any(.[]; condition);
def any: any(.);
def IN(f): any(f == .; .);
def IN(source; f): any(source == f; .);
def INDEX(f; key): [f | {(key | tostring): .}] | add // {};
def INDEX(key): INDEX(.[]; key);
def JOIN($index; key): [.[] | [., $index[key]]];
def JOIN($index; f; key): f | [., $index[key]];
def JOIN($index; f; key; join): f | [., $index[key]] | join;

def paths: path(..) | select(. != []);
def paths(condition): path(.. | select(condition)) | select(. != []);
def leaf_paths: paths(scalars);
def pick(f): . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));
def tostream:
  path(def down: (.[]? | down), .; down) as $path
  | getpath($path)
  | reduce path(.[]?) as $below ([$path, .]; [$path + $below]);
def fromstream(f):
  foreach f as $event (null;
    if .done then null end
    | $event as [$path, $leaf]
    | if $event | length == 2
      then setpath(["whole"] + $path; $leaf) | setpath(["done"]; $path | length == 0)
      else setpath(["done"]; $path | length == 1)
      end;
    if .done then .whole else empty end);
def truncate_stream(f):
  . as $depth | null | f
  | if .[0] | length > $depth then .[0] |= .[$depth:] else empty end;

def match($pattern): match($pattern; null);
def match($pattern; $flags): _match($pattern; $flags)[];
def test($pattern; $flags): _test($pattern; $flags);
def split($pattern; $flags): _split($pattern; $flags);
def capture($pattern): capture($pattern; null);
def capture($pattern; $flags): match($pattern; $flags) | .captures | _captures;
def scan($pattern): _scan($pattern; null)[];
def scan($pattern; $flags): _scan($pattern; $flags)[];
def splits($pattern): _split($pattern; null)[];
def splits($pattern; $flags): _split($pattern; $flags)[];
def sub($pattern; replacement): sub($pattern; replacement; null);
def sub($pattern; replacement; $flags):
  _splice([match($pattern; $flags) | [., [.captures | _captures | replacement]]])[];
def gsub($pattern; replacement): sub($pattern; replacement; "g");
def gsub($pattern; replacement; $flags): sub($pattern; replacement; $flags + "g");

def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%S%z") | mktime;
def todate: todateiso8601;
def fromdate: fromdateiso8601;
def date: todate;
def dateadd(unit; n): . + n;
def datesub(unit; n): . - n;

def debug(message): (message | debug | empty), .;
