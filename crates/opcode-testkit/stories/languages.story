# expr.eval sees each input by its own name, the steps, and its data.
plan
  a: echo {"n":2}
  b: expr.eval {"expression":"map(data, # * steps.a.n) | filter(# > limit)","data":[1,2,3]} after=a
start {"limit":3}
  > workflow_started {"inputs":{"limit":3}}
  > step_started a #1 compute {"n":2}
  > step_completed a {"output":{"n":2}}
  > step_started b #1 compute {"data":[1,2,3],"expression":"map(data, # * steps.a.n) | filter(# > limit)"}
  > step_completed b {"output":{"result":[4,6]}}
  > workflow_completed {"output":{"b":{"result":[4,6]}}}
  = status completed

# An unknown name is nil in Expr.
plan
  a: expr.eval {"expression":"nowhere ?? 'nothing'"}
start
  > workflow_started
  > step_started a #1 compute {"expression":"nowhere ?? 'nothing'"}
  > step_completed a {"output":{"result":"nothing"}}
  > workflow_completed {"output":{"a":{"result":"nothing"}}}
  = status completed

# Expr that fails fails its step, with the place.
plan
  a: expr.eval {"expression":"inputs.list[5]"}
start {"list":[1]}
  > workflow_started {"inputs":{"list":[1]}}
  > step_started a #1 compute {"expression":"inputs.list[5]"}
  > step_failed a {"error":"[EXECUTION_ERROR] could not evaluate `inputs.list[5]`: no item 5 in an array of 1; `get` gives nil where there is none"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [EXECUTION_ERROR] could not evaluate `inputs.list[5]`: no item 5 in an array of 1; `get` gives nil where there is none"}
  = status failed

# Whole numbers are integers in Expr, wherever they come from.
plan
  a: expr.eval {"expression":"items[n] % 4"}
start {"items":[5,6,7],"n":2.0}
  > workflow_started {"inputs":{"items":[5,6,7],"n":2.0}}
  > step_started a #1 compute {"expression":"items[n] % 4"}
  > step_completed a {"output":{"result":3}}
  > workflow_completed {"output":{"a":{"result":3}}}
  = status completed

# jq without data looks at all the step can see.
plan
  a: echo {"list":[3,1,2]}
  b: transform.jq {"filter":"{top: (.steps.a.list | max), who: .inputs.who}"} after=a
start {"who":"me"}
  > workflow_started {"inputs":{"who":"me"}}
  > step_started a #1 compute {"list":[3,1,2]}
  > step_completed a {"output":{"list":[3,1,2]}}
  > step_started b #1 compute {"filter":"{top: (.steps.a.list | max), who: .inputs.who}"}
  > step_completed b {"output":{"result":{"top":3,"who":"me"}}}
  > workflow_completed {"output":{"b":{"result":{"top":3,"who":"me"}}}}
  = status completed

# jq: several outputs are the results, none is null.
plan
  a: transform.jq {"filter":".[] | select(. > $least)","data":[1,2,3],"args":{"least":1}}
  b: transform.jq {"filter":"empty","data":1}
start
  > workflow_started
  > step_started a #1 compute {"args":{"least":1},"data":[1,2,3],"filter":".[] | select(. > $least)"}
  > step_completed a {"output":{"results":[2,3]}}
  > step_started b #1 compute {"data":1,"filter":"empty"}
  > step_completed b {"output":{"result":null}}
  > workflow_completed {"output":{"a":{"results":[2,3]},"b":{"result":null}}}
  = status completed

# jq: data that is null is null, not the scope.
plan
  a: transform.jq {"filter":".","data":"${{inputs.nothing}}"}
start {"nothing":null}
  > workflow_started {"inputs":{"nothing":null}}
  > step_started a #1 compute {"data":null,"filter":"."}
  > step_completed a {"output":{"result":null}}
  > workflow_completed {"output":{"a":{"result":null}}}
  = status completed

# A filter that is put together when the step begins is compiled then.
plan
  a: transform.jq {"filter":"${{inputs.filter}}","data":{"x":7}}
start {"filter":".x + 1"}
  > workflow_started {"inputs":{"filter":".x + 1"}}
  > step_started a #1 compute {"data":{"x":7},"filter":".x + 1"}
  > step_completed a {"output":{"result":8}}
  > workflow_completed {"output":{"a":{"result":8}}}
  = status completed

# The same, with a mistake in it.
plan
  a: transform.jq {"filter":"${{inputs.filter}}","data":{"x":7}}
start {"filter":".x +"}
  > workflow_started {"inputs":{"filter":".x +"}}
  > step_started a #1 compute {"data":{"x":7},"filter":".x +"}
  > step_failed a {"error":"[VALIDATION_ERROR] could not compile `.x +`: expected a term, found the end of the expression"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] could not compile `.x +`: expected a term, found the end of the expression"}
  = status failed

# A loop over a path of jq: one list is the items.
plan
  l: loop .over=".inputs.items"
    h: echo {"v":"${{iter.item}}"}
start {"items":["a"]}
  > workflow_started {"inputs":{"items":["a"]}}
  > step_started l #1 flow {"items":["a"]}
  > loop_iter_started l {"item":"a","iteration":0}
  > step_started l.iter_0.h #1 compute {"v":"a"}
  > step_completed l.iter_0.h {"output":{"v":"a"}}
  > loop_iter_completed l {"item":"a","iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"v":"a"}]}}
  > workflow_completed {"output":{"l":{"iterations":1,"results":[{"v":"a"}]}}}
  = status completed

# A loop over several outputs of jq, by engine.
plan
  l: loop .engine="jq" .over="range(2)"
    h: echo {"v":"${{iter.item}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":[0,1]}
  > loop_iter_started l {"item":0,"iteration":0}
  > step_started l.iter_0.h #1 compute {"v":0}
  > step_completed l.iter_0.h {"output":{"v":0}}
  > loop_iter_completed l {"item":0,"iteration":0}
  > loop_iter_started l {"item":1,"iteration":1}
  > step_started l.iter_1.h #1 compute {"v":1}
  > step_completed l.iter_1.h {"output":{"v":1}}
  > loop_iter_completed l {"item":1,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"v":0},{"v":1}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"v":0},{"v":1}]}}}
  = status completed

# A loop over nothing of jq.
plan
  l: loop .over=".inputs.items[]"
    h: noop
start {"items":[]}
  > workflow_started {"inputs":{"items":[]}}
  > step_started l #1 flow {"items":[]}
  > loop_completed l
  > step_completed l {"output":{"iterations":0,"results":[]}}
  > workflow_completed {"output":{"l":{"iterations":0,"results":[]}}}
  = status completed

# A loop over what is not there.
plan
  l: loop .over=".inputs.itmes"
    h: noop
start {"items":[1]}
  > workflow_started {"inputs":{"items":[1]}}
  > step_started l #1 flow
  > step_failed l {"error":"[EXECUTION_ERROR] `over` must give a list, not null"}
  > workflow_failed {"error":"[STEP_FAILED] step l: [EXECUTION_ERROR] `over` must give a list, not null"}
  = status failed

# A condition in jq, and one in Expr.
plan
  c: condition .engine="jq" .expression=".inputs.n | if . > 1 then \"many\" else \"one\" end"
    case many
      x: noop
  d: condition .engine="expr" .expression="inputs.n in 1..3"
    case true
      y: noop
start {"n":2}
  > workflow_started {"inputs":{"n":2}}
  > step_started c #1 flow
  > condition_evaluated c {"branch":"many","expression":".inputs.n | if . > 1 then \"many\" else \"one\" end","result":"many","slot":0}
  > step_started d #1 flow
  > condition_evaluated d {"branch":"true","expression":"inputs.n in 1..3","result":"true","slot":0}
  > step_started c.many.x #1 compute {}
  > step_completed c.many.x {"output":{"ok":true}}
  > step_started d.true.y #1 compute {}
  > step_completed d.true.y {"output":{"ok":true}}
  > step_completed c {"output":{"branch":"many","output":{"ok":true}}}
  > step_completed d {"output":{"branch":"true","output":{"ok":true}}}
  > workflow_completed {"output":{"c":{"branch":"many","output":{"ok":true}},"d":{"branch":"true","output":{"ok":true}}}}
  = status completed

# Mistakes in a program that is written out are found when the workflow is defined.
plan
  a: transform.jq {"filter":".x |"}
  b: expr.eval {"expression":"len(inputs.x"}
  c: condition .engine="jqq" .expression="true"
    case true
      y: noop
  x VALIDATION_ERROR /steps/0/params/filter: expected a term, found the end of the expression (hint: look at character 5, in `.x |`)
  x VALIDATION_ERROR /steps/1/params/expression: expected `,` or `)` in the arguments, found the end (hint: look at character 13, in `len(inputs.x`)
  x VALIDATION_ERROR /steps/2/config/engine: `engine` must be one of cel, expr, jq, not `jqq` (hint: did you mean `jq`?) (fix: replace "jq")
