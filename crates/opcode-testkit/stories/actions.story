# A single pure step completes in one go; its output is the workflow's.
plan
  a: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# Steps without depends_on begin at once, side by side, in written order.
plan
  a: http.get {"url":"1"}
  b: http.get {"url":"2"}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"1"}
  > step_started b #1 perform
  ! perform b #1 http.get {"url":"2"}
  = status active
b finishes {"n":2}
  > step_completed b {"output":{"n":2}}
a finishes {"n":1}
  > step_completed a {"output":{"n":1}}
  > workflow_completed {"output":{"a":{"n":1},"b":{"n":2}}}
  = status completed

# No barriers: c starts the moment its own dependency is done, while a slow step goes on.
plan
  slow: shell.exec
  quick: shell.exec
  c: shell.exec after=quick
start
  > workflow_started
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  > step_started quick #1 perform
  ! perform quick #1 shell.exec {}
  = status active
quick finishes
  > step_completed quick {"output":{"ok":true}}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
slow finishes
  > step_completed slow {"output":{"ok":true}}
c finishes
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true},"slow":{"ok":true}}}
  = status completed

# A diamond: d waits for both b and c, and starts once.
plan
  a: noop
  b: shell.exec after=a
  c: shell.exec after=a
  d: noop after=b,c
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
  = status active
c finishes
  > step_completed c {"output":{"ok":true}}
b finishes
  > step_completed b {"output":{"ok":true}}
  > step_started d #1 compute {}
  > step_completed d {"output":{"ok":true}}
  > workflow_completed {"output":{"d":{"ok":true}}}
  = status completed

# A chain of pure steps runs without a single effect.
plan
  a: echo {"n":1}
  b: echo {"n":"${{steps.a.n}}"} after=a
  c: echo {"n":"${{steps.b.output.n}}"} after=b
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > step_started b #1 compute {"n":1}
  > step_completed b {"output":{"n":1}}
  > step_started c #1 compute {"n":1}
  > step_completed c {"output":{"n":1}}
  > workflow_completed {"output":{"c":{"n":1}}}
  = status completed

# A failing step fails the workflow at once: running siblings are stopped and awaited, the rest is skipped.
plan
  bad: shell.exec
  slow: shell.exec
  later: noop after=slow
start
  > workflow_started
  > step_started bad #1 perform
  ! perform bad #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
bad fails VALIDATION_ERROR "no such file"
  > step_failed bad {"error":"[VALIDATION_ERROR] no such file"}
  > workflow_ending {"error":"[NON_RETRYABLE] step bad: non-retryable error: [VALIDATION_ERROR] no such file","status":"failed"}
  > step_stopping slow {"because":"sibling_failed"}
  > step_skipped later {"reason":"sibling_failed"}
  ! stop slow #1
slow fails CANCELLED "stopped"
  > step_skipped slow {"reason":"sibling_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step bad: non-retryable error: [VALIDATION_ERROR] no such file"}
  = status failed
show steps
  = bad failed
  = later skipped (sibling_failed)
  = slow skipped (sibling_failed)

# A sibling told to stop may still succeed; that is recorded, and the outcome stands.
plan
  bad: shell.exec
  slow: shell.exec
start
  > workflow_started
  > step_started bad #1 perform
  ! perform bad #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
bad fails VALIDATION_ERROR "no"
  > step_failed bad {"error":"[VALIDATION_ERROR] no"}
  > workflow_ending {"error":"[NON_RETRYABLE] step bad: non-retryable error: [VALIDATION_ERROR] no","status":"failed"}
  > step_stopping slow {"because":"sibling_failed"}
  ! stop slow #1
slow finishes {"done":true}
  > step_completed slow {"output":{"done":true}}
  > workflow_failed {"error":"[NON_RETRYABLE] step bad: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = bad failed
  = slow completed

# failure_mode branch: a failure skips only what depended on it, the rest goes on; the workflow fails at the end.
plan
  failure_mode = branch
  bad: shell.exec
  after-bad: noop after=bad
  after-that: noop after=after-bad
  good: shell.exec
  after-good: noop after=good
start
  > workflow_started
  > step_started bad #1 perform
  ! perform bad #1 shell.exec {}
  > step_started good #1 perform
  ! perform good #1 shell.exec {}
  = status active
bad fails VALIDATION_ERROR "no"
  > step_failed bad {"error":"[VALIDATION_ERROR] no"}
  > step_skipped after-bad {"reason":"dependency_failed"}
  > step_skipped after-that {"reason":"dependency_failed"}
good finishes
  > step_completed good {"output":{"ok":true}}
  > step_started after-good #1 compute {}
  > step_completed after-good {"output":{"ok":true}}
  > workflow_failed {"error":"[NON_RETRYABLE] step bad: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = after-bad skipped (dependency_failed)
  = after-good completed
  = after-that skipped (dependency_failed)
  = bad failed
  = good completed

# failure_mode branch: a step that needs a failed and a good one is skipped, once both are over.
plan
  failure_mode = branch
  bad: fail
  good: shell.exec
  both: noop after=bad,good
start
  > workflow_started
  > step_started bad #1 compute {}
  > step_failed bad {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_started good #1 perform
  ! perform good #1 shell.exec {}
  = status active
good finishes
  > step_completed good {"output":{"ok":true}}
  > step_skipped both {"reason":"dependency_failed"}
  > workflow_failed {"error":"[STEP_FAILED] step bad: [EXECUTION_ERROR] failed on purpose"}
  = status failed
show both
  = {"step_id":"both","status":"skipped","reason":"dependency_failed"}

# failure_mode branch: two failures; the first one is the workflow's.
plan
  failure_mode = branch
  one: shell.exec
  two: shell.exec
start
  > workflow_started
  > step_started one #1 perform
  ! perform one #1 shell.exec {}
  > step_started two #1 perform
  ! perform two #1 shell.exec {}
  = status active
two fails VALIDATION_ERROR "second step, first failure"
  > step_failed two {"error":"[VALIDATION_ERROR] second step, first failure"}
one fails VALIDATION_ERROR "first step, second failure"
  > step_failed one {"error":"[VALIDATION_ERROR] first step, second failure"}
  > workflow_failed {"error":"[NON_RETRYABLE] step two: non-retryable error: [VALIDATION_ERROR] second step, first failure"}
  = status failed

# Parameters that cannot be filled in fail the step with INTERPOLATION_ERROR, naming what there is.
plan
  a: http.get {"url":"${{inputs.host}}/x"}
start {"hots":"h"}
  > workflow_started {"inputs":{"hots":"h"}}
  > step_started a #1 compute
  > step_failed a {"error":"[INTERPOLATION_ERROR] could not fill in ${{ inputs.host }} at /url: no input `host`; available: [hots]; did you mean `hots`?"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [INTERPOLATION_ERROR] could not fill in ${{ inputs.host }} at /url: no input `host`; available: [hots]; did you mean `hots`?"}
  = status failed

# An interpolated string that is exactly one expression keeps its type.
plan
  a: echo {"n":42,"l":[1,2],"o":{"k":true}}
  b: echo {"n":"${{steps.a.n}}","l":"${{steps.a.l}}","o":"${{steps.a.o}}","t":"n=${{steps.a.n}} o=${{steps.a.o}}"} after=a
start
  > workflow_started
  > step_started a #1 compute {"l":[1,2],"n":42,"o":{"k":true}}
  > step_completed a {"output":{"l":[1,2],"n":42,"o":{"k":true}}}
  > step_started b #1 compute {"l":[1,2],"n":42,"o":{"k":true},"t":"n=42 o={\"k\":true}"}
  > step_completed b {"output":{"l":[1,2],"n":42,"o":{"k":true},"t":"n=42 o={\"k\":true}"}}
  > workflow_completed {"output":{"b":{"l":[1,2],"n":42,"o":{"k":true},"t":"n=42 o={\"k\":true}"}}}
  = status completed

# Data is never code: quotes and braces from an output arrive as they are.
plan
  a: shell.exec
  b: echo {"said":"<${{steps.a.text}}>"} after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes {"text":"\"}, ${{secrets.KEY}} \n"}
  > step_completed a {"output":{"text":"\"}, ${{secrets.KEY}} \n"}}
  > step_started b #1 compute {"said":"<\"}, ${{secrets.KEY}} \n>"}
  > step_completed b {"output":{"said":"<\"}, ${{secrets.KEY}} \n>"}}
  > workflow_completed {"output":{"b":{"said":"<\"}, ${{secrets.KEY}} \n>"}}}
  = status completed

# A secret is named in the intent, never shown; the step is performed outside even if the action is pure.
plan
  a: echo {"token":"${{secrets.KEY}}","x":"Bearer ${{secrets.KEY}}"}
start
  > workflow_started
  > step_started a #1 perform {"secrets":[{"pieces":[{"secret":"KEY"}],"pointer":"/token"},{"pieces":[{"text":"Bearer "},{"secret":"KEY"}],"pointer":"/x"}]}
  ! perform a #1 echo {"token":"${{secrets.KEY}}","x":"Bearer ${{secrets.KEY}}"} secret={"pointer":"/token","pieces":[{"secret":"KEY"}]} secret={"pointer":"/x","pieces":[{"text":"Bearer "},{"secret":"KEY"}]}
  = status active
a finishes {"ok":1}
  > step_completed a {"output":{"ok":1}}
  > workflow_completed {"output":{"a":{"ok":1}}}
  = status completed

# A step with a timeout hands its limit to the world; the engine keeps no timer for it.
plan
  a: http.get {"url":"u"} timeout=5s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"} timeout=5s
  = status active
a fails TIMEOUT_ERROR "timed out"
  > step_failed a {"error":"[TIMEOUT_ERROR] timed out"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [TIMEOUT_ERROR] timed out"}
  = status failed

# The agent of a run travels with its effects.
plan
  a: shell.exec
start agent=ann name=Nightly template=t version=v3
  > workflow_started {"agent_id":"ann","name":"Nightly","template_name":"t","template_version":"v3"}
  > step_started a #1 perform
  ! perform a #1 shell.exec {} agent=ann
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# An answer for an attempt that is no longer awaited is refused, and changes nothing.
plan
  a: shell.exec retry.max=1
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+0s"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a #1 finishes
  x refused CONFLICT attempt 1 of step a is no longer awaited
a #2 finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
a #2 finishes
  x refused CONFLICT attempt 2 of step a is no longer awaited

# Terminal means terminal: answers, interruptions and messages after the end change nothing.
plan
  a: shell.exec
  b: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > workflow_ending {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no","status":"failed"}
  > step_stopping b {"because":"sibling_failed"}
  ! stop b #1
b fails CANCELLED "stopped"
  > step_skipped b {"reason":"sibling_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
b fails CANCELLED "stopped"
  x refused CONFLICT attempt 1 of step b is no longer awaited
interrupt
crash and recover
  = outstanding: nothing
parent cancels
  x refused CONFLICT already applied
start
  x refused CONFLICT this workflow has begun already

# The output of a workflow without `output`: the outputs of its last steps, by id; skipped ones have none.
plan
  a: echo {"v":1}
  b: echo {"v":2} after=a
  c: echo {"v":3} if="false"
  d: echo {"v":4}
start
  > workflow_started
  > step_started a #1 compute {"v":1}
  > step_completed a {"output":{"v":1}}
  > step_skipped c {"reason":"guard"}
  > step_started d #1 compute {"v":4}
  > step_completed d {"output":{"v":4}}
  > step_started b #1 compute {"v":2}
  > step_completed b {"output":{"v":2}}
  > workflow_completed {"output":{"b":{"v":2},"d":{"v":4}}}
  = status completed

# Deep nesting: every kind of body inside every other; full ids concatenate.
plan
  p: parallel
    branch
      l: loop .over="['a','b']"
        c: condition .expression="iter.item"
          case a
            x: echo {"i":"${{iter.item}}"}
          default
            q: parallel .mode=race
              branch
                y: echo {"i":"${{iter.index}}"}
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.l #1 flow {"items":["a","b"]}
  > loop_iter_started p.branch_0.l {"item":"a","iteration":0}
  > step_started p.branch_0.l.iter_0.c #1 flow
  > condition_evaluated p.branch_0.l.iter_0.c {"branch":"a","expression":"iter.item","result":"a","slot":0}
  > step_started p.branch_0.l.iter_0.c.a.x #1 compute {"i":"a"}
  > step_completed p.branch_0.l.iter_0.c.a.x {"output":{"i":"a"}}
  > step_completed p.branch_0.l.iter_0.c {"output":{"branch":"a","output":{"i":"a"}}}
  > loop_iter_completed p.branch_0.l {"item":"a","iteration":0}
  > loop_iter_started p.branch_0.l {"item":"b","iteration":1}
  > step_started p.branch_0.l.iter_1.c #1 flow
  > condition_evaluated p.branch_0.l.iter_1.c {"branch":"default","expression":"iter.item","result":"b","slot":1}
  > step_started p.branch_0.l.iter_1.c.default.q #1 flow
  > parallel_started p.branch_0.l.iter_1.c.default.q {"branches":1,"mode":"race"}
  > step_started p.branch_0.l.iter_1.c.default.q.branch_0.y #1 compute {"i":1}
  > step_completed p.branch_0.l.iter_1.c.default.q.branch_0.y {"output":{"i":1}}
  > parallel_completed p.branch_0.l.iter_1.c.default.q
  > step_completed p.branch_0.l.iter_1.c.default.q {"output":{"mode":"race","output":{"i":1},"winner":0}}
  > step_completed p.branch_0.l.iter_1.c {"output":{"branch":"default","output":{"mode":"race","output":{"i":1},"winner":0}}}
  > loop_iter_completed p.branch_0.l {"item":"b","iteration":1}
  > loop_completed p.branch_0.l
  > step_completed p.branch_0.l {"output":{"iterations":2,"results":[{"branch":"a","output":{"i":"a"}},{"branch":"default","output":{"mode":"race","output":{"i":1},"winner":0}}]}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"iterations":2,"results":[{"branch":"a","output":{"i":"a"}},{"branch":"default","output":{"mode":"race","output":{"i":1},"winner":0}}]}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"iterations":2,"results":[{"branch":"a","output":{"i":"a"}},{"branch":"default","output":{"mode":"race","output":{"i":1},"winner":0}}]}],"mode":"all"}}}
  = status completed

# Sub-steps see their siblings by short id, everyone by full id, and steps around them by their own.
plan
  top: echo {"v":"top"}
  l: loop .over="[1,2]" after=top
    a: echo {"v":"${{iter.item}}"}
    b: echo {"own":"${{steps.a.v}}","first":"${{steps['l.iter_0.a'].v}}","top":"${{steps.top.v}}"}
  after: echo {"second":"${{steps['l.iter_1.b'].own}}"} after=l
start
  > workflow_started
  > step_started top #1 compute {"v":"top"}
  > step_completed top {"output":{"v":"top"}}
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 compute {"v":1}
  > step_completed l.iter_0.a {"output":{"v":1}}
  > step_started l.iter_0.b #1 compute {"first":1,"own":1,"top":"top"}
  > step_completed l.iter_0.b {"output":{"first":1,"own":1,"top":"top"}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 compute {"v":2}
  > step_completed l.iter_1.a {"output":{"v":2}}
  > step_started l.iter_1.b #1 compute {"first":1,"own":2,"top":"top"}
  > step_completed l.iter_1.b {"output":{"first":1,"own":2,"top":"top"}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"first":1,"own":1,"top":"top"},{"first":1,"own":2,"top":"top"}]}}
  > step_started after #1 compute {"second":2}
  > step_completed after {"output":{"second":2}}
  > workflow_completed {"output":{"after":{"second":2}}}
  = status completed

# In a body, a step follows the one before it; with depends_on, even empty, exactly those.
plan
  p: parallel
    branch
      a: shell.exec
      b: shell.exec
      c: shell.exec after=
      d: shell.exec after=a,c
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_0.c #1 perform
  ! perform p.branch_0.c #1 shell.exec {}
  = status active
p.branch_0.a finishes
  > step_completed p.branch_0.a {"output":{"ok":true}}
  > step_started p.branch_0.b #1 perform
  ! perform p.branch_0.b #1 shell.exec {}
p.branch_0.c finishes
  > step_completed p.branch_0.c {"output":{"ok":true}}
  > step_started p.branch_0.d #1 perform
  ! perform p.branch_0.d #1 shell.exec {}
p.branch_0.d finishes
  > step_completed p.branch_0.d {"output":{"ok":true}}
p.branch_0.b finishes
  > step_completed p.branch_0.b {"output":{"ok":true}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"ok":true}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"ok":true}],"mode":"all"}}}
  = status completed

# An output larger or deeper than the house allows fails the step, with the number in it.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
  > step_failed a {"error":"[LIMIT_EXCEEDED] nesting of a step's output is limited to 64"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [LIMIT_EXCEEDED] nesting of a step's output is limited to 64"}
  = status failed

# crypto.uuid is drawn by the world, and so is durable before anything can use it.
plan
  id: crypto.uuid
  use: http.post {"body":"${{steps.id.uuid}}"} after=id
start
  > workflow_started
  > step_started id #1 perform
  ! perform id #1 crypto.uuid {}
  = status active
id finishes {"uuid":"u-1"}
  > step_completed id {"output":{"uuid":"u-1"}}
  > step_started use #1 perform
  ! perform use #1 http.post {"body":"u-1"}
use finishes
  > step_completed use {"output":{"ok":true}}
  > workflow_completed {"output":{"use":{"ok":true}}}
  = status completed

# What a step wishes for its program lies over what the workflow wishes, and is the same after a crash.
plan
  {"sandbox":"isolated","limits":{"pids":8},"steps":[{"id":"a","action":"shell.exec","limits":{"memory":"1MiB"}},{"id":"b","action":"http.get"}]}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {} wishes=isolated {"memory_bytes":1048576,"pids":8}
  > step_started b #1 perform
  ! perform b #1 http.get {}
  = status active
crash and recover
  = outstanding: perform a #1 shell.exec {} wishes=isolated {"memory_bytes":1048576,"pids":8}, perform b #1 http.get {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  > step_interrupted b {"attempt":1,"policy":"retry"}
  > step_started b #2 perform
  ! perform a #2 shell.exec {} wishes=isolated {"memory_bytes":1048576,"pids":8}
  ! perform b #2 http.get {}
