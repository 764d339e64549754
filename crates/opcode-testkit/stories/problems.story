# A definition is an object.
plan
  [1]
  x VALIDATION_ERROR /: a definition is an object with `steps`, not list (hint: a definition is {"steps": [{"id": …, "action": …}]})

# A definition needs steps.
plan
  {"name":"x"}
  x VALIDATION_ERROR /steps: `steps` is missing (hint: a definition is {"steps": [{"id": …, "action": …}]})

# Steps are a list.
plan
  {"steps":{"id":"a"}}
  x VALIDATION_ERROR /steps: `steps` must be a list, not object (hint: write a list: [ … ]) (fix: replace [{"id":"a"}])

# A definition needs at least one step.
plan
  {"steps":[]}
  x VALIDATION_ERROR /steps: a workflow needs at least one step (hint: a definition is {"steps": [{"id": …, "action": …}]})

# A step is an object.
plan
  {"steps":["noop"]}
  x VALIDATION_ERROR /steps/0: a step is an object, not string (hint: write {"id": …, "action": …, "params": {…}})

# A step needs an id.
plan
  {"steps":[{"action":"noop"}]}
  x VALIDATION_ERROR /steps/0/id: a step needs an `id` (hint: a short name of its own, such as `fetch`)

# An id is not empty.
plan
  {"steps":[{"id":"","action":"noop"}]}
  x VALIDATION_ERROR /steps/0/id: step id `` must be 1 to 128 letters, digits, `_`, `-` or `.` (hint: a short name such as `fetch-user_2`)

# An id is letters, digits and a few marks; the mend replaces the rest.
plan
  {"steps":[{"id":"my step!","action":"noop"}]}
  x VALIDATION_ERROR /steps/0/id: step id `my step!` must be 1 to 128 letters, digits, `_`, `-` or `.` (hint: a short name such as `fetch-user_2`) (fix: replace "my_step_")

# Letters of any script are fine.
plan
  {"steps":[{"id":"schritt-ä","action":"noop"},{"id":"шаг.1","action":"noop"}]}

# Ids are unique among siblings; the fix is a free one.
plan
  {"steps":[{"id":"a","action":"noop"},{"id":"a","action":"noop"},{"id":"a-2","action":"noop"}]}
  x VALIDATION_ERROR /steps/1/id: duplicate step id `a` (hint: each step of a list needs an id of its own) (fix: replace "a-3")

# The same id in different bodies is fine.
plan
  {"steps":[{"id":"s","type":"parallel","config":{"branches":[[{"id":"x","action":"noop"}],[{"id":"x","action":"noop"}]]}}]}

# An unknown type gets the nearest one.
plan
  {"steps":[{"id":"a","type":"paralel","config":{}}]}
  x VALIDATION_ERROR /steps/0/type: `type` must be one of action, condition, reasoning, parallel, loop, wait, not `paralel` (hint: did you mean `parallel`?) (fix: replace "parallel")

# An action step needs an action.
plan
  {"steps":[{"id":"a"}]}
  x VALIDATION_ERROR /steps/0/action: an action step needs an `action` (hint: such as `http.get` or `shell.exec`; other steps need a `type`)

# An unknown action gets the nearest one, and a fix.
plan
  {"steps":[{"id":"a","action":"http.gte"}]}
  x ACTION_UNAVAILABLE /steps/0/action: action `http.gte` does not exist (hint: did you mean `http.get`?) (fix: replace "http.get")

# An action far from any names what there is.
plan
  {"steps":[{"id":"a","action":"teleport"}]}
  x ACTION_UNAVAILABLE /steps/0/action: action `teleport` does not exist (hint: the actions are crypto.uuid, echo, expr.eval, fail, http.get, http.post, noop, shell.exec, transform.jq, workflow.context, workflow.emit, workflow.log, workflow.notify, workflow.run)

# Parameters are an object.
plan
  {"steps":[{"id":"a","action":"echo","params":[1]}]}
  x VALIDATION_ERROR /steps/0/params: `params` must be an object, not list (hint: write {"name": value, …})

# A parameter of the wrong type is an error, an unknown one a warning.
plan
  {"steps":[{"id":"a","action":"http.get","params":{"url":7,"urll":"x"}}]}
  x VALIDATION_ERROR /steps/0/params/url: `url` is text (hint: put it in quotes)
  x warning /steps/0/params/urll: `http.get` has no parameter `urll` (hint: did you mean `url`?) (fix: remove) (fix: add /steps/0/params/url "x")

# An action step has no config.
plan
  {"steps":[{"id":"a","action":"noop","config":{"x":1}}]}
  x warning /steps/0/config: an action step has `params`, not `config`; this is ignored (hint: move what it needs to `params`) (fix: remove)

# Any other step needs one.
plan
  {"steps":[{"id":"a","type":"loop"}]}
  x VALIDATION_ERROR /steps/0/config: a loop step needs a `config` (hint: {"over": …, "body": [steps]}, or {"mode": "while", "condition": …, "body": [steps]})

# Unknown fields are warnings: with the nearest, or with their removal.
plan
  {"steps":[{"id":"a","action":"noop","depend_on":["b"]}],"zzz":1}
  x warning /zzz: unknown field `zzz` is ignored (hint: the fields here are steps, inputs, input_schema, output_schema, output, timeout, on_timeout, timeout_scope, on_complete, on_error, on_interrupted, failure_mode, sandbox, limits, metadata, context, name, description) (fix: remove)
  x warning /steps/0/depend_on: unknown field `depend_on` is ignored (hint: did you mean `depends_on`?) (fix: remove) (fix: add /steps/0/depends_on ["b"])

# A dependency must stand beside the step; a typo is mended.
plan
  {"steps":[{"id":"fetch","action":"noop"},{"id":"b","action":"noop","depends_on":["fetsch"]},{"id":"c","action":"noop","depends_on":["nowhere"]}]}
  x VALIDATION_ERROR /steps/1/depends_on/0: there is no step `fetsch` beside this one (hint: did you mean `fetch`?) (fix: replace "fetch")
  x VALIDATION_ERROR /steps/2/depends_on/0: there is no step `nowhere` beside this one (hint: the steps here are b, c, fetch)

# A dependency is a step id.
plan
  {"steps":[{"id":"b","action":"noop","depends_on":[1]}]}
  x VALIDATION_ERROR /steps/0/depends_on/0: a dependency is a step id, not int (hint: write the ids of steps beside this one: ["a"])

# depends_on is a list.
plan
  {"steps":[{"id":"a","action":"noop"},{"id":"b","action":"noop","depends_on":"a"}]}
  x VALIDATION_ERROR /steps/1/depends_on: `depends_on` must be a list, not string (hint: write a list: [ … ]) (fix: replace ["a"])

# A step does not depend on itself.
plan
  {"steps":[{"id":"a","action":"noop","depends_on":["a"]}]}
  x CYCLE_DETECTED /steps/0/depends_on/0: step `a` depends on itself (hint: take this dependency away) (fix: remove)

# A dependency is named once.
plan
  {"steps":[{"id":"a","action":"noop"},{"id":"b","action":"noop","depends_on":["a","a"]}]}
  x VALIDATION_ERROR /steps/1/depends_on/1: step `a` is named twice (hint: once is enough) (fix: remove)

# A circle is named step by step.
plan
  {"steps":[{"id":"a","action":"noop","depends_on":["c"]},{"id":"b","action":"noop","depends_on":["a"]},{"id":"c","action":"noop","depends_on":["b"]}]}
  x CYCLE_DETECTED /steps/0/depends_on: steps wait for each other in a circle: a → b → c → a (hint: remove one of these dependencies)

# A circle inside a body.
plan
  {"steps":[{"id":"s","type":"loop","config":{"over":"[1]","body":[{"id":"x","action":"noop","depends_on":["y"]},{"id":"y","action":"noop","depends_on":["x"]}]}}]}
  x CYCLE_DETECTED /steps/0/config/body/0/depends_on: steps wait for each other in a circle: x → y → x (hint: remove one of these dependencies)

# A fallback waits for the step it takes over for, and whoever waits for that waits for the fallback.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"f"}},{"id":"b","action":"noop","depends_on":["a"]},{"id":"f","action":"noop","depends_on":["b"]}]}
  x CYCLE_DETECTED /steps/0/depends_on: steps wait for each other in a circle: a → b → f → a (hint: remove one of these dependencies)

# Two steps cannot take over for each other.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"b"}},{"id":"b","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"a"}}]}
  x CYCLE_DETECTED /steps/0/on_error/fallback_step: steps take over for each other in a circle: a → b → a (hint: let one of them fail instead)

# The end of a chain of fallbacks cannot wait for its beginning.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"b"}},{"id":"b","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"c"}},{"id":"c","action":"noop","depends_on":["a"]}]}
  x CYCLE_DETECTED /steps/0/depends_on: steps wait for each other in a circle: a → c → b → a (hint: remove one of these dependencies)

# A fallback must be named.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"fallback_step"}}]}
  x VALIDATION_ERROR /steps/0/on_error/fallback_step: the strategy `fallback_step` needs a `fallback_step` (hint: name another step of this list, by its id)

# A fallback must exist beside the step.
plan
  {"steps":[{"id":"first","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"secnd"}},{"id":"second","action":"noop"}]}
  x VALIDATION_ERROR /steps/0/on_error/fallback_step: there is no step `secnd` beside this one (hint: did you mean `second`?) (fix: replace "second")

# A step cannot take over for itself.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"fallback_step","fallback_step":"a"}}]}
  x VALIDATION_ERROR /steps/0/on_error/fallback_step: step `a` cannot take over for itself (hint: name another step of this list, by its id)

# fallback_step goes with its strategy only.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{"strategy":"ignore","fallback_step":"b"}},{"id":"b","action":"noop"}]}
  x warning /steps/0/on_error/fallback_step: `fallback_step` is used only with the strategy `fallback_step` (hint: change the strategy, or take it away) (fix: remove)

# on_error needs a strategy, a known one.
plan
  {"steps":[{"id":"a","action":"noop","on_error":{}},{"id":"b","action":"noop","on_error":{"strategy":"ignor"}},{"id":"c","action":"noop","on_error":"ignore"}]}
  x VALIDATION_ERROR /steps/0/on_error/strategy: `on_error` needs a `strategy` (hint: ignore, fail_workflow, fallback_step or retry)
  x VALIDATION_ERROR /steps/1/on_error/strategy: `strategy` must be one of ignore, fail_workflow, fallback_step, retry, not `ignor` (hint: did you mean `ignore`?) (fix: replace "ignore")
  x VALIDATION_ERROR /steps/2/on_error: `on_error` must be an object, not string (hint: write an object: {"key": …})

# retry.max is a whole number within the house's limit.
plan
  {"steps":[{"id":"a","action":"noop","retry":{"max":-1}},{"id":"b","action":"noop","retry":{"max":2000}},{"id":"c","action":"noop","retry":{"max":1.5}},{"id":"d","action":"noop","retry":{"max":"3"}}]}
  x VALIDATION_ERROR /steps/0/retry/max: `max` must be from 0 to 1000, not -1 (hint: the nearest that is allowed is 0) (fix: replace 0)
  x VALIDATION_ERROR /steps/1/retry/max: `max` must be from 0 to 1000, not 2000 (hint: the nearest that is allowed is 1000) (fix: replace 1000)
  x VALIDATION_ERROR /steps/2/retry/max: `max` must be a whole number, not float (hint: write a whole number, without quotes)
  x VALIDATION_ERROR /steps/3/retry/max: `max` must be a whole number, not text (hint: take away the quotes) (fix: replace 3)

# Many retries are warned about.
plan
  {"steps":[{"id":"a","action":"noop","retry":{"max":11}}]}
  x warning /steps/0/retry/max: 11 retries may take very long (hint: a `max_delay` and the workflow's `timeout` bound them)

# Back-off is one of four words.
plan
  {"steps":[{"id":"a","action":"noop","retry":{"max":1,"backoff":"fibonacci"}}]}
  x VALIDATION_ERROR /steps/0/retry/backoff: `backoff` must be one of none, constant, linear, exponential, not `fibonacci` (hint: leave it out for the default, or write one of these words)

# retry_on names error codes.
plan
  {"steps":[{"id":"a","action":"noop","retry":{"max":1,"retry_on":["TIMEOUT","TIMEOUT_ERROR",3]}}]}
  x VALIDATION_ERROR /steps/0/retry/retry_on/0: no such error code: "TIMEOUT" (hint: did you mean `TIMEOUT_ERROR`?) (fix: replace "TIMEOUT_ERROR")
  x VALIDATION_ERROR /steps/0/retry/retry_on/2: no such error code: 3 (hint: such as TIMEOUT_ERROR or EXECUTION_ERROR)

# A duration is text with units; what unit a bare number has, only its author knows.
plan
  {"steps":[{"id":"a","action":"noop","timeout":30}],"timeout":"soon"}
  x VALIDATION_ERROR /timeout: `soon` is not a duration: a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/0/timeout: `timeout` must be a duration such as "30s", not int (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)

# A duration has a unit, and at least a millisecond.
plan
  {"steps":[{"id":"a","action":"noop","timeout":"5"},{"id":"b","action":"noop","timeout":"10ns"},{"id":"c","action":"noop","timeout":"-1s"}]}
  x VALIDATION_ERROR /steps/0/timeout: `5` is not a duration: a duration needs one of the units ns, us, ms, s, m, h (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/1/timeout: `10ns` is shorter than a millisecond (hint: the shortest is 1ms)
  x VALIDATION_ERROR /steps/2/timeout: `-1s` is not a duration: a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)

# Durations may be compound.
plan
  {"steps":[{"id":"a","action":"noop","timeout":"1m30s"}],"timeout":"1.5h"}

# Words of a definition are checked.
plan
  {"steps":[{"id":"a","action":"noop"}],"on_timeout":"explode","failure_mode":"branches","timeout_scope":"wal","on_interrupted":"maybe"}
  x VALIDATION_ERROR /failure_mode: `failure_mode` must be one of workflow, branch, not `branches` (hint: did you mean `branch`?) (fix: replace "branch")
  x VALIDATION_ERROR /timeout_scope: `timeout_scope` must be one of active, wall, not `wal` (hint: did you mean `wall`?) (fix: replace "wall")
  x VALIDATION_ERROR /on_timeout: `on_timeout` must be one of fail, suspend, cancel, not `explode` (hint: leave it out for the default, or write one of these words)
  x VALIDATION_ERROR /on_interrupted: `on_interrupted` must be one of retry, fail, ask, not `maybe` (hint: leave it out for the default, or write one of these words)

# A guard must compile.
plan
  {"steps":[{"id":"a","action":"noop","condition":"steps.a."}]}
  x VALIDATION_ERROR /steps/0/condition: expected a field name after `.`, found the end (hint: look at character 9, in `steps.a.`)

# A hyphenated id in an expression gets its brackets.
plan
  {"steps":[{"id":"my-step","action":"noop"},{"id":"b","action":"noop","depends_on":["my-step"],"condition":"steps.my-step.ok == true"}]}
  x VALIDATION_ERROR /steps/1/condition: unknown variable `step`; available: [context, error, inputs, iter, loop, now, step_status, steps, workflow] (hint: a name with `-` is written in brackets here: `steps['my-step'].ok == true`) (fix: replace "steps['my-step'].ok == true")

# Dividing two integers is warned about.
plan
  {"steps":[{"id":"s","type":"condition","config":{"expression":"inputs.a / inputs.b","branches":{"1":[{"id":"x","action":"noop"}]}}}]}
  x warning /steps/0/config/expression: dividing two integers drops the remainder (hint: write `double(inputs.a) / inputs.b` if the fraction matters)

# The same in the parameters of an action, and in the output.
plan
  {"steps":[{"id":"a","action":"echo","params":{"x":"${{ inputs.a / inputs.b }}"}}],"output":{"y":"${{ inputs.a / inputs.b > 1 }}"}}
  x warning /steps/0/params/x: dividing two integers drops the remainder (hint: write `double(inputs.a) / inputs.b` if the fraction matters)
  x warning /output/y: dividing two integers drops the remainder (hint: write `double(inputs.a) / inputs.b` if the fraction matters)

# An unknown variable is nil in Expr, and hardly meant where the inputs are known.
plan
  {"inputs":{"threshold":1},"steps":[{"id":"a","action":"expr.eval","params":{"expression":"treshold > 1 ? inputs.threshhold : elsewhere ?? data"}}]}
  x warning /steps/0/params/expression: nothing here is called `elsewhere` (hint: there is steps, inputs, workflow, context, iter, error, threshold, data)
  x warning /steps/0/params/expression: nothing here is called `treshold` (hint: did you mean `threshold`?)
  x warning /steps/0/params/expression: no input is called `threshhold` (hint: did you mean `threshold`?)

# What jq reads of the scope is null where the scope has no such member; data of its own may have any.
plan
  {"steps":[{"id":"a","action":"transform.jq","params":{"filter":".inptus.x, .steps.b"}},{"id":"c","action":"transform.jq","params":{"filter":".inptus, .steps.x","data":{}}}]}
  x warning /steps/0/params/filter: nothing here is called `inptus` (hint: did you mean `inputs`?)
  x warning /steps/0/params/filter: no step is called `b` (hint: the steps of this workflow are a, c)

# An output may name only steps that are there.
plan
  {"steps":[{"id":"fetch","action":"noop"}],"output":{"y":"${{ steps.fecth.ok }}"}}
  x warning /output/y: no step is called `fecth` (hint: did you mean `fetch`?)

# A template must compile.
plan
  {"steps":[{"id":"a","action":"echo","params":{"x":"${{ steps.a. }}","y":["${{ 1 + }}"]}}]}
  x INTERPOLATION_ERROR /steps/0/params/x: expected a field name after `.`, found the end in ${{ steps.a. }} (hint: look at character 13, in `${{ steps.a. }}`)
  x INTERPOLATION_ERROR /steps/0/params/y/0: expected a value, found the end in ${{ 1 + }} (hint: look at character 8, in `${{ 1 + }}`)

# A template must end.
plan
  {"steps":[{"id":"a","action":"echo","params":{"x":"${{ inputs.a"}}]}
  x INTERPOLATION_ERROR /steps/0/params/x: unclosed ${{ (hint: close it with }}, or write $${{ for a literal ${{)

# Secrets stand only in parameters.
plan
  {"steps":[{"id":"s","type":"reasoning","config":{"prompt_context":"key ${{secrets.KEY}}"}}],"output":{"k":"${{secrets.KEY}}"}}
  x VALIDATION_ERROR /steps/0/config/prompt_context: secret `KEY` may stand only in an action's parameters (hint: give it to the action that needs it: `${{secrets.NAME}}` there)
  x VALIDATION_ERROR /output/k: secret `KEY` may stand only in an action's parameters (hint: give it to the action that needs it: `${{secrets.NAME}}` there)

# A secret is a plain path.
plan
  {"steps":[{"id":"a","action":"echo","params":{"x":"${{ secrets.KEY + 'x' }}"}}]}
  x INTERPOLATION_ERROR /steps/0/params/x: a secret is read by its plain path only (hint: write ${{secrets.NAME}}, and text around it as it is)

# Nobody is called like a step in an expression: a warning, with the nearest.
plan
  {"steps":[{"id":"fetch","action":"noop"},{"id":"b","action":"echo","params":{"x":"${{steps.fetsch.body}}"},"depends_on":["fetch"]}]}
  x warning /steps/1/params/x: no step is called `fetsch` (hint: did you mean `fetch`?)

# A condition needs an expression; a branch is a list.
plan
  {"steps":[{"id":"s","type":"condition","config":{"branches":{"a":{"id":"x"}}}}]}
  x VALIDATION_ERROR /steps/0/config/expression: `expression` is missing (hint: an expression whose value names a branch, such as `steps.check.ok`)
  x VALIDATION_ERROR /steps/0/config/branches/a: a branch is a list of steps, not object (hint: put the step in a list) (fix: replace [{"id":"x"}])

# A loop needs a body with steps in it.
plan
  {"steps":[{"id":"s","type":"loop","config":{"over":"[1]"}},{"id":"m","type":"loop","config":{"over":"[1]","body":[]}}]}
  x VALIDATION_ERROR /steps/0/config/body: `body` is missing (hint: write the steps of one iteration: [{"id": …, "action": …}])
  x VALIDATION_ERROR /steps/1/config/body: a loop needs at least one step in its `body` (hint: write the steps of one iteration: [{"id": …, "action": …}])

# A for_each needs `over`, while and until a condition.
plan
  {"steps":[{"id":"s","type":"loop","config":{"body":[{"id":"x","action":"noop"}]}},{"id":"m","type":"loop","config":{"mode":"until","max_iter":3,"body":[{"id":"x","action":"noop"}]}}]}
  x VALIDATION_ERROR /steps/0/config/over: `over` is missing (hint: an expression that gives a list, such as `steps.fetch.items` or `[1, 2]`)
  x VALIDATION_ERROR /steps/1/config/condition: `condition` is missing (hint: an expression that is true or false, such as `iter.index < 5`)

# A loop's mode is one of three.
plan
  {"steps":[{"id":"s","type":"loop","config":{"mode":"for","over":"[1]","body":[{"id":"x","action":"noop"}]}}]}
  x VALIDATION_ERROR /steps/0/config/mode: `mode` must be one of for_each, while, until, not `for` (hint: leave it out for the default, or write one of these words)

# max_iter is from 1 to the house's limit.
plan
  {"steps":[{"id":"s","type":"loop","config":{"over":"inputs.l","max_iter":0,"body":[{"id":"x","action":"noop"}]}},{"id":"m","type":"loop","config":{"over":"inputs.l","max_iter":1000000,"body":[{"id":"x","action":"noop"}]}}]}
  x VALIDATION_ERROR /steps/0/config/max_iter: `max_iter` must be from 1 to 100000, not 0 (hint: the nearest that is allowed is 1) (fix: replace 1)
  x VALIDATION_ERROR /steps/1/config/max_iter: `max_iter` must be from 1 to 100000, not 1000000 (hint: the nearest that is allowed is 100000) (fix: replace 100000)

# max_iter that cannot be reached is warned about.
plan
  {"steps":[{"id":"s","type":"loop","config":{"over":"['a','b']","max_iter":5,"body":[{"id":"x","action":"noop"}]}}]}
  x warning /steps/0/config/max_iter: `max_iter` 5 cannot be reached: `over` has 2 items (hint: lower it, or leave it out) (fix: replace 2)

# A while loop without max_iter is warned about.
plan
  {"steps":[{"id":"s","type":"loop","config":{"mode":"while","condition":"true","body":[{"id":"x","action":"noop"}]}}]}
  x warning /steps/0/config: without `max_iter` only the condition ends this loop (hint: set a `max_iter`: then the loop ends there, with `truncated`)

# Only for_each runs iterations side by side.
plan
  {"steps":[{"id":"s","type":"loop","config":{"mode":"while","condition":"true","max_iter":3,"concurrency":2,"body":[{"id":"x","action":"noop"}]}}]}
  x VALIDATION_ERROR /steps/0/config/concurrency: only a `for_each` loop can run iterations side by side (hint: take it away, or loop `over` a list)

# concurrency is within the house's limit.
plan
  {"steps":[{"id":"s","type":"loop","config":{"over":"inputs.l","concurrency":5000,"body":[{"id":"x","action":"noop"}]}}]}
  x VALIDATION_ERROR /steps/0/config/concurrency: `concurrency` must be from 1 to 1000, not 5000 (hint: the nearest that is allowed is 1000) (fix: replace 1000)

# A parallel step needs branches, lists of steps.
plan
  {"steps":[{"id":"s","type":"parallel","config":{}},{"id":"m","type":"parallel","config":{"branches":[]}},{"id":"n","type":"parallel","config":{"branches":[{"id":"x"}],"mode":"any"}}]}
  x VALIDATION_ERROR /steps/0/config/branches: `branches` is missing (hint: write a list of lists of steps: [[{"id": …}], [{"id": …}]])
  x VALIDATION_ERROR /steps/1/config/branches: a parallel step needs at least one branch (hint: write a list of lists of steps: [[{"id": …}], [{"id": …}]])
  x VALIDATION_ERROR /steps/2/config/mode: `mode` must be one of all, race, not `any` (hint: leave it out for the default, or write one of these words)
  x VALIDATION_ERROR /steps/2/config/branches/0: a branch is a list of steps, not object (hint: put the step in a list) (fix: replace [{"id":"x"}])

# A wait needs a duration or a signal.
plan
  {"steps":[{"id":"s","type":"wait","config":{}}]}
  x VALIDATION_ERROR /steps/0/config: a wait step needs a `duration` or a `signal` (hint: `duration` waits for a time such as 30s, `signal` for somebody's word)

# With a duration the signal is never waited for.
plan
  {"steps":[{"id":"s","type":"wait","config":{"duration":"1s","signal":"go"}}]}
  x warning /steps/0/config/signal: with a `duration` the `signal` is never waited for (hint: wait in two steps, or for one of them) (fix: remove)

# A fallback choice is among the options.
plan
  {"steps":[{"id":"s","type":"reasoning","config":{"prompt_context":"?","options":[{"id":"yes"},{"id":"no"}],"fallback":"yess","timeout":"1h"}}]}
  x VALIDATION_ERROR /steps/0/config/fallback: fallback `yess` is not among the options (hint: the options are yes, no)

# Options have ids, each its own.
plan
  {"steps":[{"id":"s","type":"reasoning","config":{"prompt_context":"?","options":[{"id":"yes"},{"id":"yes"},{"description":"no id"}]}}]}
  x VALIDATION_ERROR /steps/0/config/options/1: duplicate option `yes` (hint: give each option an id of its own) (fix: remove)
  x VALIDATION_ERROR /steps/0/config/options/2: an option is {"id": …, "description": …} (hint: the `id` is what is answered; bare text will do)

# A question's time is not longer than its step's.
plan
  {"steps":[{"id":"s","type":"reasoning","config":{"prompt_context":"?","timeout":"1h"},"timeout":"1s"}]}
  x warning /steps/0/config/timeout: reasoning timeout 1h0m0s is longer than the step timeout 1s (hint: the shorter one comes first) (fix: replace "1s")

# A hook depends on nothing.
plan
  {"steps":[{"id":"a","action":"noop"}],"on_complete":{"action":"noop","depends_on":["a"]}}
  x warning /on_complete/depends_on: a hook depends on nothing; this is ignored (hint: a hook begins when the workflow is over) (fix: remove)

# A hook's action is checked as well.
plan
  {"steps":[{"id":"a","action":"noop"}],"on_error":{"action":"nop"}}
  x ACTION_UNAVAILABLE /on_error/action: action `nop` does not exist (hint: did you mean `noop`?) (fix: replace "noop")

# Schemas are checked.
plan
  {"steps":[{"id":"a","action":"noop"}],"input_schema":{"type":"strin"},"output_schema":[1]}
  x VALIDATION_ERROR /input_schema/type: not a JSON Schema: "strin" is not valid under any of the schemas listed in the 'anyOf' keyword (hint: did you mean `string`?) (fix: replace "string")
  x VALIDATION_ERROR /output_schema: not a JSON Schema: [1] is not of types "boolean", "object" (hint: JSON Schema 2020-12, such as {"type": "object", "properties": {…}})

# An id that reads like a step inside another.
plan
  {"steps":[{"id":"l","type":"loop","config":{"over":"[1]","body":[{"id":"x","action":"noop"}]}},{"id":"l.iter_0.x","action":"noop"}]}
  x VALIDATION_ERROR /steps/1/id: `l.iter_0.x` reads like a step inside `l` (hint: give it an id without the dot) (fix: replace "l-iter_0-x")

# The engine of an expression is known.
plan
  {"steps":[{"id":"s","type":"condition","config":{"expression":".a","engine":"jqq","branches":{}}}]}
  x VALIDATION_ERROR /steps/0/config/engine: `engine` must be one of cel, expr, jq, not `jqq` (hint: did you mean `jq`?) (fix: replace "jq")
  x VALIDATION_ERROR /steps/0/config/expression: unknown variable `a`; available: [context, error, inputs, iter, loop, now, step_status, steps, workflow] (hint: put text in quotes)

# Bodies inside bodies are limited.
plan
  {"steps":[{"id":"p16","type":"parallel","config":{"branches":[[{"id":"p15","type":"parallel","config":{"branches":[[{"id":"p14","type":"parallel","config":{"branches":[[{"id":"p13","type":"parallel","config":{"branches":[[{"id":"p12","type":"parallel","config":{"branches":[[{"id":"p11","type":"parallel","config":{"branches":[[{"id":"p10","type":"parallel","config":{"branches":[[{"id":"p9","type":"parallel","config":{"branches":[[{"id":"p8","type":"parallel","config":{"branches":[[{"id":"p7","type":"parallel","config":{"branches":[[{"id":"p6","type":"parallel","config":{"branches":[[{"id":"p5","type":"parallel","config":{"branches":[[{"id":"p4","type":"parallel","config":{"branches":[[{"id":"p3","type":"parallel","config":{"branches":[[{"id":"p2","type":"parallel","config":{"branches":[[{"id":"p1","type":"parallel","config":{"branches":[[{"id":"p0","type":"parallel","config":{"branches":[[{"id":"x","action":"noop"}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]]}}]}
  x LIMIT_EXCEEDED /steps/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0/0/config/branches/0: bodies inside bodies is limited to 16 (hint: put a part of it in a template of its own and run that with `workflow.run`)

# All problems come at once, errors first, warnings after.
plan
  {"steps":[{"id":"a","action":"noop","timeout":"x","zz":1,"depends_on":["q"]},{"id":"a"}],"on_timeout":"x"}
  x VALIDATION_ERROR /on_timeout: `on_timeout` must be one of fail, suspend, cancel, not `x` (hint: leave it out for the default, or write one of these words)
  x VALIDATION_ERROR /steps/1/id: duplicate step id `a` (hint: each step of a list needs an id of its own) (fix: replace "a-2")
  x VALIDATION_ERROR /steps/0/timeout: `x` is not a duration: a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/1/action: an action step needs an `action` (hint: such as `http.get` or `shell.exec`; other steps need a `type`)
  x VALIDATION_ERROR /steps/0/depends_on/0: there is no step `q` beside this one (hint: the steps here are a)
  x warning /steps/0/zz: unknown field `zz` is ignored (hint: the fields here are id, type, action, params, depends_on, condition, retry, timeout, on_error, on_interrupted, sandbox, limits, config, name, description, metadata) (fix: remove)

# An id that reads like the step of a hook.
plan
  {"steps":[{"id":"on_complete.hook","action":"noop"}],"on_complete":{"action":"noop"}}
  x VALIDATION_ERROR /steps/0/id: `on_complete.hook` reads like a step inside `on_complete` (hint: give it an id without the dot) (fix: replace "on_complete-hook")

# What workflow.* is given is recorded, so no secret may be in it.
plan
  {"steps":[{"id":"a","action":"workflow.run","params":{"template":"t","params":{"key":"${{secrets.KEY}}"}}}]}
  x VALIDATION_ERROR /steps/0/params: what `workflow.run` is given is recorded; secret `KEY` may not be in it (hint: give it to the action that uses it, and there only)

# A step that reads another does not wait for it by that.
plan
  {"steps":[{"id":"b","action":"workflow.log","params":{"message":"${{ steps.a.uuid }} ${{ steps['c'].uuid }}"},"condition":"steps.c.ok"},{"id":"a","action":"crypto.uuid"},{"id":"c","action":"crypto.uuid"},{"id":"d","action":"echo","depends_on":["b"],"params":{"x":"${{ steps.a.uuid + steps.b.ok }}"}}]}
  x warning /steps/0/condition: step `b` reads `steps.c`, but `b` does not wait for it (hint: add `c` to the `depends_on` of `b`) (fix: add /steps/0/depends_on ["c"])
  x warning /steps/0/params/message: step `b` reads `steps.a`, but `b` does not wait for it (hint: add `a` to the `depends_on` of `b`) (fix: add /steps/0/depends_on ["c","a"])
  x warning /steps/0/params/message: step `b` reads `steps.c`, but `b` does not wait for it (hint: add `c` to the `depends_on` of `b`) (fix: add /steps/0/depends_on ["c","a"])

# Whoever waits through others, takes over, or asks only how a step stands, is not warned.
plan
  {"steps":[{"id":"a","action":"http.get","on_error":{"strategy":"fallback_step","fallback_step":"f"}},{"id":"f","action":"echo","params":{"why":"${{ steps.a.error }}"}},{"id":"b","action":"noop","depends_on":["a"]},{"id":"c","action":"echo","depends_on":["b"],"params":{"x":"${{ steps.a.body }} ${{ steps.f }} ${{ step_status['z'] }}"}},{"id":"z","action":"noop"}],"output":"${{ steps.z.ok }}","on_complete":{"action":"echo","params":{"x":"${{ steps.z.ok }}"}}}

# No step reads what comes of itself, or of one that waits for it.
plan
  {"steps":[{"id":"a","action":"echo","params":{"x":"${{ steps.a.ok }}"}},{"id":"b","action":"echo","params":{"x":"${{ steps.c.ok }}"}},{"id":"c","action":"echo","depends_on":["b"]}]}
  x warning /steps/0/params/x: step `a` reads its own output, which is not there yet (hint: read another step, or `inputs`)
  x warning /steps/1/params/x: step `b` reads `steps.c`, but `b` does not wait for it (hint: `c` begins only after `b`: put `b` behind it)

# In a body each step follows the one before it; what stands outside is waited for by the step around.
plan
  {"steps":[{"id":"a","action":"crypto.uuid"},{"id":"l","type":"loop","config":{"over":"[1]","break":"steps.y.ok","body":[{"id":"x","action":"noop"},{"id":"y","action":"echo","params":{"x":"${{ steps.x.ok }}","a":"${{ steps.a.uuid }}","l":"${{ steps.l.iter_0.x }}","z":"${{ steps.z.ok }}"}},{"id":"z","action":"echo","depends_on":["x"],"params":{"y":"${{ steps.y.x }}"}}]}}]}
  x warning /steps/1/config/body/1/params/a: a step inside `l` reads `steps.a`, but `l` does not wait for it (hint: add `a` to the `depends_on` of `l`) (fix: add /steps/1/depends_on ["a"])
  x warning /steps/1/config/body/1/params/z: step `y` reads `steps.z`, but `y` does not wait for it (hint: add `z` to the `depends_on` of `y`) (fix: add /steps/1/config/body/1/depends_on ["x","z"])
  x warning /steps/1/config/body/2/params/y: step `z` reads `steps.y`, but `z` does not wait for it (hint: `y` begins only after `z`: put `z` behind it)

# A step inside another is read by its full path from outside.
plan
  {"steps":[{"id":"l","type":"loop","config":{"over":"[1]","body":[{"id":"x","action":"noop"}]}},{"id":"p","type":"parallel","config":{"branches":[[{"id":"y","action":"noop"}],[{"id":"y","action":"noop"},{"id":"c","type":"condition","config":{"expression":"true","branches":{"true":[{"id":"v","action":"noop"}]},"default":[{"id":"w","action":"noop"}]}}]]}},{"id":"e","action":"echo","depends_on":["l","p"],"params":{"x":"${{ steps.x.ok }}","y":"${{ steps.y.ok }}","v":"${{ steps['v'].ok }}","w":"${{ steps.w.ok }}","good":"${{ steps.l.iter_0.x.ok }} ${{ steps.p.branch_1.c.true.v }}"}}],"output":"${{ steps.x.ok }}"}
  x warning /steps/2/params/v: step `v` stands inside another and goes by its full path here (hint: read `steps['p.branch_1.c.true.v']`; what the last step there gives is in `steps.p.branches` too)
  x warning /steps/2/params/w: step `w` stands inside another and goes by its full path here (hint: read `steps['p.branch_1.c.default.w']`; what the last step there gives is in `steps.p.branches` too)
  x warning /steps/2/params/x: step `x` stands inside another and goes by its full path here (hint: read `steps['l.iter_N.x']`; what the last step there gives is in `steps.l.results` too)
  x warning /steps/2/params/y: step `y` stands inside another and goes by its full path here (hint: read `steps['p.branch_0.y']` or `steps['p.branch_1.y']`; what the last step there gives is in `steps.p.branches` too)
  x warning /output: step `x` stands inside another and goes by its full path here (hint: read `steps['l.iter_N.x']`; what the last step there gives is in `steps.l.results` too)

# A function that Expr does not have is found before anything runs, also where it would hardly be called.
plan
  {"steps":[{"id":"a","action":"expr.eval","params":{"expression":"let n = 2; nope(n)"}},{"id":"b","action":"expr.eval","params":{"expression":"false && uper('a') == 'A'"}},{"id":"c","action":"expr.eval","params":{"expression":"[1] | fliter(# > 0)"}},{"id":"d","action":"expr.eval","params":{"expression":"upper(data.x)","data":{"x":"a"}}}]}
  x VALIDATION_ERROR /steps/0/params/expression: unknown function `nope`; available: [abs, all, any, bitand, bitnand, bitnot, bitor, bitshl, bitshr, bitushr, bitxor, ceil, concat, count, date, duration, filter, find, findIndex, findLast, and 51 more] (hint: did you mean `none`?)
  x VALIDATION_ERROR /steps/1/params/expression: unknown function `uper`; available: [abs, all, any, bitand, bitnand, bitnot, bitor, bitshl, bitshr, bitushr, bitxor, ceil, concat, count, date, duration, filter, find, findIndex, findLast, and 51 more] (hint: did you mean `upper`?)
  x VALIDATION_ERROR /steps/2/params/expression: expected a value, found `#` (hint: did you mean `filter` for `fliter`?)

# A fix never chooses among meanings.
plan
  {"steps":[{"id":"s","type":"reasoning","config":{"prompt_context":"?","options":["a","b"],"fallback":"c"}},{"id":"t","type":"reasoning","config":{"prompt_context":"?","options":["approve","reject"],"fallback":"aprove"}},{"id":"w","type":"wait","config":{}},{"id":"l","type":"loop","config":{"mode":"while","condition":"true","body":[{"id":"x","action":"noop"}]}},{"id":"r","action":"noop","timeout":30,"retry":{"delay":"5","retry_on":["S"]},"depends_on":["q"]}]}
  x VALIDATION_ERROR /steps/0/config/fallback: fallback `c` is not among the options (hint: the options are a, b)
  x VALIDATION_ERROR /steps/1/config/fallback: fallback `aprove` is not among the options (hint: the options are approve, reject)
  x VALIDATION_ERROR /steps/2/config: a wait step needs a `duration` or a `signal` (hint: `duration` waits for a time such as 30s, `signal` for somebody's word)
  x VALIDATION_ERROR /steps/4/retry/delay: `5` is not a duration: a duration needs one of the units ns, us, ms, s, m, h (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/4/retry/retry_on/0: no such error code: "S" (hint: such as TIMEOUT_ERROR or EXECUTION_ERROR)
  x VALIDATION_ERROR /steps/4/timeout: `timeout` must be a duration such as "30s", not int (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/4/depends_on/0: there is no step `q` beside this one (hint: the steps here are l, r, s, t, w)
  x warning /steps/3/config: without `max_iter` only the condition ends this loop (hint: set a `max_iter`: then the loop ends there, with `truncated`)

# A definition with nothing to do is not cured by an empty list.
plan
  {"inputs":{}}
  x VALIDATION_ERROR /steps: `steps` is missing (hint: a definition is {"steps": [{"id": …, "action": …}]})

# A file's wrapper is not the definition inside it.
plan
  {"name":"n","definition":{"steps":[{"id":"a","action":"noop"}]}}
  x VALIDATION_ERROR /steps: `steps` is missing (hint: the definition stands in its member `definition`: hand in that)

# There are no triggers yet.
plan
  {"steps":[{"id":"a","action":"noop"}],"triggers":[{"cron":"* * * * *"}]}
  x warning /triggers: there are no triggers yet; this is ignored (hint: start it with `opcode run` or `opcode.run`)

# What is wished for a program: every field, and the names of older definitions.
plan
  {"sandbox":"isolated","limits":{"max_memory_bytes":1048576,"max_cpu_percent":50,"timeout":"1m"},"steps":[{"id":"a","action":"shell.exec","sandbox":{"profile":"strict","network":"host","read":["/srv"],"write":["/srv/out"]},"limits":{"wall_time":"1m","cpu_time":"10s","cpu_percent":50,"memory":"64MiB","pids":8,"output":1000}},{"id":"b","action":"shell.exec","sandbox":{"profile":"isolated","allow_network":true,"read_only_paths":["/srv"],"writable_paths":[]}}]}

# What is wished and cannot be.
plan
  {"steps":[{"id":"a","action":"shell.exec","sandbox":"isolatd","limits":{"memory":"much","pids":0,"cpu_time":5,"memroy":1}},{"id":"b","action":"shell.exec","sandbox":{"profile":"isolated","read":["srv","/srv/../etc","${{ inputs.dir }}",7],"deny_paths":["/etc"]},"limits":{"memory":10}}]}
  x VALIDATION_ERROR /steps/0/limits/cpu_time: `cpu_time` must be a duration such as "30s", not int (hint: write numbers with units: 300ms, 90s, 1m30s, 2h)
  x VALIDATION_ERROR /steps/0/limits/memory: `memory` must be a number of bytes, not "much" (hint: write 1048576, or with a unit: "64MiB", "2GB")
  x VALIDATION_ERROR /steps/0/limits/pids: `pids` must be from 1 to 4194304, not 0 (hint: the nearest that is allowed is 1) (fix: replace 1)
  x VALIDATION_ERROR /steps/0/sandbox: `sandbox` must be one of none, process, isolated, strict, not `isolatd` (hint: did you mean `isolated`?) (fix: replace "isolated")
  x VALIDATION_ERROR /steps/1/limits/memory: `memory` must be at least 1048576 bytes, not 10 (hint: the least that is allowed is 1048576) (fix: replace 1048576)
  x VALIDATION_ERROR /steps/1/sandbox/deny_paths: nothing is denied by name (hint: an isolated step sees only what `read` and `write` list: leave it out of those)
  x VALIDATION_ERROR /steps/1/sandbox/read/0: a path of the sandbox begins with `/` and goes only down (hint: such as "/srv/data")
  x VALIDATION_ERROR /steps/1/sandbox/read/1: a path of the sandbox begins with `/` and goes only down (hint: such as "/srv/data")
  x VALIDATION_ERROR /steps/1/sandbox/read/2: a path of the sandbox is written out, not worked out (hint: list the directory that holds it)
  x VALIDATION_ERROR /steps/1/sandbox/read/3: a path of the sandbox begins with `/` and goes only down (hint: such as "/srv/data")
  x warning /steps/0/limits/memroy: unknown field `memroy` is ignored (hint: did you mean `memory`?) (fix: remove)

# Only a step that runs a program has anything to lock in.
plan
  {"steps":[{"id":"a","action":"noop","limits":{"pids":3}},{"id":"p","action":"shell.exec","sandbox":{"profile":"process","read":["/srv"]}},{"id":"w","type":"wait","config":{"duration":"1s"},"sandbox":"strict"}]}
  x warning /steps/0/limits: this step runs no program; `limits` is ignored (hint: it is for steps such as `shell.exec`) (fix: remove)
  x warning /steps/1/sandbox/read: `read` means something only to an isolated program (hint: set `profile` to isolated, or strict) (fix: remove)
  x warning /steps/2/sandbox: this step runs no program; `sandbox` is ignored (hint: it is for steps such as `shell.exec`) (fix: remove)
