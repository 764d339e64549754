# A condition runs the branch its expression names; its last output is the condition's.
plan
  c: condition .expression="inputs.m"
    case fast
      x: echo {"v":1}
      y: echo {"v":2}
    case slow
      z: noop
start {"m":"fast"}
  > workflow_started {"inputs":{"m":"fast"}}
  > step_started c #1 flow
  > condition_evaluated c {"branch":"fast","expression":"inputs.m","result":"fast","slot":0}
  > step_started c.fast.x #1 compute {"v":1}
  > step_completed c.fast.x {"output":{"v":1}}
  > step_started c.fast.y #1 compute {"v":2}
  > step_completed c.fast.y {"output":{"v":2}}
  > step_completed c {"output":{"branch":"fast","output":{"v":2}}}
  > workflow_completed {"output":{"c":{"branch":"fast","output":{"v":2}}}}
  = status completed
show steps
  = c completed
  = c.fast.x completed
  = c.fast.y completed

# A condition's key is the value as text: true.
plan
  c: condition .expression="1 < 2"
    case true
      x: noop
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"true","expression":"1 < 2","result":"true","slot":0}
  > step_started c.true.x #1 compute {}
  > step_completed c.true.x {"output":{"ok":true}}
  > step_completed c {"output":{"branch":"true","output":{"ok":true}}}
  > workflow_completed {"output":{"c":{"branch":"true","output":{"ok":true}}}}
  = status completed

# A condition's key is the value as text; a whole number has no point.
plan
  c: condition .expression="6.0 / 2.0"
    case 3
      x: noop
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"3","expression":"6.0 / 2.0","result":"3","slot":0}
  > step_started c.3.x #1 compute {}
  > step_completed c.3.x {"output":{"ok":true}}
  > step_completed c {"output":{"branch":"3","output":{"ok":true}}}
  > workflow_completed {"output":{"c":{"branch":"3","output":{"ok":true}}}}
  = status completed

# No branch matches: the default runs.
plan
  c: condition .expression="inputs.m"
    case a
      x: noop
    default
      y: echo {"d":1}
start {"m":"q"}
  > workflow_started {"inputs":{"m":"q"}}
  > step_started c #1 flow
  > condition_evaluated c {"branch":"default","expression":"inputs.m","result":"q","slot":1}
  > step_started c.default.y #1 compute {"d":1}
  > step_completed c.default.y {"output":{"d":1}}
  > step_completed c {"output":{"branch":"default","output":{"d":1}}}
  > workflow_completed {"output":{"c":{"branch":"default","output":{"d":1}}}}
  = status completed

# No branch matches and there is no default: completed, and says so.
plan
  c: condition .expression="inputs.m"
    case a
      x: noop
start {"m":"q\"uote"}
  > workflow_started {"inputs":{"m":"q\"uote"}}
  > step_started c #1 flow
  > condition_evaluated c {"expression":"inputs.m","result":"q\"uote"}
  > step_completed c {"output":{"branch":"q\"uote","skipped":true}}
  > workflow_completed {"output":{"c":{"branch":"q\"uote","skipped":true}}}
  = status completed

# A branch without steps completes at once.
plan
  {"steps":[{"id":"c","type":"condition","config":{"expression":"'a'","branches":{"a":[]}}}]}
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"a","expression":"'a'","result":"a"}
  > step_completed c {"output":{"branch":"a"}}
  > workflow_completed {"output":{"c":{"branch":"a"}}}
  = status completed

# An expression that fails fails the condition.
plan
  c: condition .expression="inputs.m"
    case a
      x: noop
start
  > workflow_started
  > step_started c #1 flow
  > step_failed c {"error":"[EXECUTION_ERROR] could not evaluate `inputs.m`: no input `m`; available: []"}
  > workflow_failed {"error":"[STEP_FAILED] step c: [EXECUTION_ERROR] could not evaluate `inputs.m`: no input `m`; available: []"}
  = status failed

# A failing sub-step fails the condition, and the workflow.
plan
  c: condition .expression="true"
    case true
      f: fail {"code":"VALIDATION_ERROR"}
      g: noop
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"true","expression":"true","result":"true","slot":0}
  > step_started c.true.f #1 compute {"code":"VALIDATION_ERROR"}
  > step_failed c.true.f {"error":"[VALIDATION_ERROR] failed on purpose"}
  > step_skipped c.true.g {"reason":"sibling_failed"}
  > step_failed c {"error":"[VALIDATION_ERROR] failed on purpose"}
  > workflow_failed {"error":"[NON_RETRYABLE] step c.true.f: non-retryable error: [VALIDATION_ERROR] failed on purpose"}
  = status failed
show steps
  = c failed
  = c.true.f failed
  = c.true.g skipped (sibling_failed)

# Parallel all: every branch begins at once; outputs stand in branch order.
plan
  p: parallel
    branch
      a: shell.exec
    branch
      b: shell.exec
      c: echo {"v":"c"}
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > step_started p.branch_1.c #1 compute {"v":"c"}
  > step_completed p.branch_1.c {"output":{"v":"c"}}
p.branch_0.a finishes {"v":"a"}
  > step_completed p.branch_0.a {"output":{"v":"a"}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"v":"a"},{"v":"c"}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"v":"a"},{"v":"c"}],"mode":"all"}}}
  = status completed

# Parallel all: a failing branch stops the others, which are awaited; then the step fails.
plan
  p: parallel
    branch
      a: shell.exec
    branch
      b: shell.exec
      c: noop
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a fails VALIDATION_ERROR "no"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] no"}
  > step_stopping p {"because":"sibling_failed","error":"[VALIDATION_ERROR] no"}
  > step_stopping p.branch_1.b {"because":"sibling_failed"}
  > step_skipped p.branch_1.c {"reason":"sibling_failed"}
  ! stop p.branch_1.b #1
p.branch_1.b fails CANCELLED "stopped"
  > step_skipped p.branch_1.b {"reason":"sibling_failed"}
  > step_failed p {"error":"[VALIDATION_ERROR] no"}
  > workflow_failed {"error":"[NON_RETRYABLE] step p.branch_0.a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = p failed
  = p.branch_0.a failed
  = p.branch_1.b skipped (sibling_failed)
  = p.branch_1.c skipped (sibling_failed)

# Parallel all in failure_mode branch: the other branches finish first.
plan
  failure_mode = branch
  p: parallel
    branch
      a: shell.exec
    branch
      b: shell.exec
      c: noop
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a fails VALIDATION_ERROR "no"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] no"}
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > step_started p.branch_1.c #1 compute {}
  > step_completed p.branch_1.c {"output":{"ok":true}}
  > step_failed p {"error":"[VALIDATION_ERROR] no"}
  > workflow_failed {"error":"[NON_RETRYABLE] step p.branch_0.a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = p failed
  = p.branch_0.a failed
  = p.branch_1.b completed
  = p.branch_1.c completed

# Parallel with an empty branch.
plan
  {"steps":[{"id":"p","type":"parallel","config":{"branches":[[],[{"id":"a","action":"noop"}]]}}]}
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_1.a #1 compute {}
  > step_completed p.branch_1.a {"output":{"ok":true}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[null,{"ok":true}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[null,{"ok":true}],"mode":"all"}}}
  = status completed

# Race: the first branch to finish wins; the loser is stopped and awaited.
plan
  p: parallel .mode=race
    branch
      a: shell.exec
    branch
      b: shell.exec
      b2: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a finishes {"v":"a"}
  > step_completed p.branch_0.a {"output":{"v":"a"}}
  > step_stopping p {"because":"race_lost"}
  > step_stopping p.branch_1.b {"because":"race_lost"}
  > step_skipped p.branch_1.b2 {"reason":"race_lost"}
  ! stop p.branch_1.b #1
p.branch_1.b fails CANCELLED "stopped"
  > step_skipped p.branch_1.b {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"v":"a"},"winner":0}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"v":"a"},"winner":0}}}
  = status completed
show steps
  = p completed
  = p.branch_0.a completed
  = p.branch_1.b skipped (race_lost)
  = p.branch_1.b2 skipped (race_lost)

# Race: a loser that finishes after all does not win.
plan
  p: parallel .mode=race
    branch
      a: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a finishes {"v":"a"}
  > step_completed p.branch_0.a {"output":{"v":"a"}}
  > step_stopping p {"because":"race_lost"}
  > step_stopping p.branch_1.b {"because":"race_lost"}
  ! stop p.branch_1.b #1
p.branch_1.b finishes {"v":"b"}
  > step_completed p.branch_1.b {"output":{"v":"b"}}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"v":"a"},"winner":0}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"v":"a"},"winner":0}}}
  = status completed

# Race: a failing branch does not lose the race for the others.
plan
  p: parallel .mode=race
    branch
      a: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a fails VALIDATION_ERROR "no"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] no"}
p.branch_1.b finishes {"v":"b"}
  > step_completed p.branch_1.b {"output":{"v":"b"}}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"v":"b"},"winner":1}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"v":"b"},"winner":1}}}
  = status completed

# Race: when all branches fail, the first failure is the step's.
plan
  p: parallel .mode=race
    branch
      a: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_1.b fails VALIDATION_ERROR "b first"
  > step_failed p.branch_1.b {"error":"[VALIDATION_ERROR] b first"}
p.branch_0.a fails VALIDATION_ERROR "a second"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] a second"}
  > step_failed p {"error":"[VALIDATION_ERROR] b first"}
  > workflow_failed {"error":"[NON_RETRYABLE] step p.branch_1.b: non-retryable error: [VALIDATION_ERROR] b first"}
  = status failed

# Race: a question in a losing branch is withdrawn, a wait ends, a child is cancelled.
plan
  p: parallel .mode=race
    branch
      d: reasoning .prompt_context="?"
    branch
      w: wait .duration=1h
    branch
      r: workflow.run {"template":"t"}
    branch
      a: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":4,"mode":"race"}
  > step_started p.branch_0.d #1 ask
  > decision_requested p.branch_0.d {"id":"<run>_p.branch_0.d","kind":"reasoning","prompt_context":"?"}
  > step_suspended p.branch_0.d
  ! ask p.branch_0.d
  > step_started p.branch_1.w #1 wait
  > wait_started p.branch_1.w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  > step_started p.branch_2.r #1 compute {"template":"t"}
  > child_started p.branch_2.r {"template_name":"t","workflow_id":"<child p.branch_2.r>"}
  ~ to <child p.branch_2.r>: start t null depth=1
  > step_started p.branch_3.a #1 perform
  ! perform p.branch_3.a #1 shell.exec {}
  = status active
  = timer +1h0m0s
p.branch_3.a finishes
  > step_completed p.branch_3.a {"output":{"ok":true}}
  > step_stopping p {"because":"race_lost"}
  > decision_cancelled p.branch_0.d {"reason":"no longer needed"}
  > step_skipped p.branch_0.d {"reason":"race_lost"}
  > step_skipped p.branch_1.w {"reason":"race_lost"}
  > step_stopping p.branch_2.r {"because":"race_lost"}
  ! withdraw p.branch_0.d
  ~ to <child p.branch_2.r>: cancel, the parent was stopped
child p.branch_2.r is cancelled
  > child_finished p.branch_2.r {"status":"cancelled"}
  > step_skipped p.branch_2.r {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"ok":true},"winner":3}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"ok":true},"winner":3}}}
  = status completed
show steps
  = p completed
  = p.branch_0.d skipped (race_lost)
  = p.branch_1.w skipped (race_lost)
  = p.branch_2.r skipped (race_lost)
  = p.branch_3.a completed

# Race between a timer and a signal.
plan
  p: parallel .mode=race
    branch
      late: wait .duration=10s
    branch
      go: wait .signal=go
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.late #1 wait
  > wait_started p.branch_0.late {"duration":"10s","signal":"","until":"+10s"}
  > step_started p.branch_1.go #1 wait
  > wait_started p.branch_1.go {"duration":"","signal":"go"}
  = status active
  = timer +10s
signal data named go {"v":1}
  > signal_received {"name":"go","payload":{"v":1},"type":"data"}
  > wait_completed p.branch_1.go
  > step_completed p.branch_1.go {"output":{"payload":{"v":1},"signal":"go"}}
  > step_stopping p {"because":"race_lost"}
  > step_skipped p.branch_0.late {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"payload":{"v":1},"signal":"go"},"winner":1}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"payload":{"v":1},"signal":"go"},"winner":1}}}
  = status completed

# A flow step's timeout stops what is below it, awaits it, and then fails the step.
plan
  p: parallel timeout=5s
    branch
      a: shell.exec
    branch
      w: wait .duration=1h
start
  > workflow_started
  > step_started p #1 flow {"deadline":"+5s"}
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.w #1 wait
  > wait_started p.branch_1.w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  = status active
  = timer +5s
clock +5s
  > step_stopping p {"because":"stopped","error":"[TIMEOUT_ERROR] step p timed out after 5s"}
  > step_stopping p.branch_0.a {"because":"stopped"}
  > step_skipped p.branch_1.w {"reason":"stopped"}
  ! stop p.branch_0.a #1
p.branch_0.a fails CANCELLED "stopped"
  > step_skipped p.branch_0.a {"reason":"stopped"}
  > step_failed p {"error":"[TIMEOUT_ERROR] step p timed out after 5s"}
  > workflow_failed {"error":"[STEP_FAILED] step p: [TIMEOUT_ERROR] step p timed out after 5s"}
  = status failed

# A flow step's timeout is per attempt.
plan
  l: loop .over="[1]" timeout=5s retry.max=1 retry.delay=1s
    a: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1]} {"deadline":"+5s"}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
  = timer +5s
clock +5s
  > step_stopping l {"because":"stopped","error":"[TIMEOUT_ERROR] step l timed out after 5s"}
  > step_stopping l.iter_0.a {"because":"stopped"}
  ! stop l.iter_0.a #1
l.iter_0.a fails CANCELLED "stopped"
  > step_skipped l.iter_0.a {"reason":"stopped"}
  > step_retry_attempt l {"attempt":1,"error":"[TIMEOUT_ERROR] step l timed out after 5s","max_attempts":1,"retryable":true}
  > step_retrying l {"error":"[TIMEOUT_ERROR] step l timed out after 5s","until":"+6s"}
  = timer +6s
clock +6s
  > step_started l #2 flow {"items":[1]} {"deadline":"+11s"}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = timer +11s
clock +11s
  > step_stopping l {"because":"stopped","error":"[TIMEOUT_ERROR] step l timed out after 5s"}
  > step_stopping l.iter_0.a {"because":"stopped"}
  ! stop l.iter_0.a #1

# A flow step that ends in time leaves no timer behind.
plan
  l: loop .over="[1]" timeout=5s
    a: shell.exec
  b: shell.exec after=l
start
  > workflow_started
  > step_started l #1 flow {"items":[1]} {"deadline":"+5s"}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
  = timer +5s
l.iter_0.a finishes
  > step_completed l.iter_0.a {"output":{"ok":true}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"ok":true}]}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
clock +5s
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# What a failed branch makes needless is not begun: the failure of one pure step comes before the start of another branch.
plan
  p: parallel
    branch
      a: fail
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 compute {}
  > step_failed p.branch_0.a {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_stopping p {"because":"sibling_failed","error":"[EXECUTION_ERROR] failed on purpose"}
  > step_skipped p.branch_1.b {"reason":"sibling_failed"}
  > step_failed p {"error":"[EXECUTION_ERROR] failed on purpose"}
  > workflow_failed {"error":"[STEP_FAILED] step p.branch_0.a: [EXECUTION_ERROR] failed on purpose"}
  = status failed

# Race: what a pure winner makes needless is not begun.
plan
  p: parallel .mode=race
    branch
      a: noop
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.a #1 compute {}
  > step_completed p.branch_0.a {"output":{"ok":true}}
  > step_stopping p {"because":"race_lost"}
  > step_skipped p.branch_1.b {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"ok":true},"winner":0}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"ok":true},"winner":0}}}
  = status completed

# A step with a body inside a body that is being stopped: all of it is told at once.
plan
  p: parallel .mode=race
    branch
      c: condition .expression="true"
        case true
          l: loop .over="[1,2]" .concurrency=2
            x: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.c #1 flow
  > condition_evaluated p.branch_0.c {"branch":"true","expression":"true","result":"true","slot":0}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  > step_started p.branch_0.c.true.l #1 flow {"items":[1,2]}
  > loop_iter_started p.branch_0.c.true.l {"item":1,"iteration":0}
  > loop_iter_started p.branch_0.c.true.l {"item":2,"iteration":1}
  > step_started p.branch_0.c.true.l.iter_0.x #1 perform
  ! perform p.branch_0.c.true.l.iter_0.x #1 shell.exec {}
  > step_started p.branch_0.c.true.l.iter_1.x #1 perform
  ! perform p.branch_0.c.true.l.iter_1.x #1 shell.exec {}
  = status active
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > step_stopping p {"because":"race_lost"}
  > step_stopping p.branch_0.c {"because":"race_lost"}
  > step_stopping p.branch_0.c.true.l {"because":"race_lost"}
  > step_stopping p.branch_0.c.true.l.iter_0.x {"because":"race_lost"}
  > step_stopping p.branch_0.c.true.l.iter_1.x {"because":"race_lost"}
  ! stop p.branch_0.c.true.l.iter_0.x #1
  ! stop p.branch_0.c.true.l.iter_1.x #1
p.branch_0.c.true.l.iter_0.x finishes
  > step_completed p.branch_0.c.true.l.iter_0.x {"output":{"ok":true}}
p.branch_0.c.true.l.iter_1.x fails CANCELLED "stopped"
  > step_skipped p.branch_0.c.true.l.iter_1.x {"reason":"race_lost"}
  > step_skipped p.branch_0.c.true.l {"reason":"race_lost"}
  > step_skipped p.branch_0.c {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"ok":true},"winner":1}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"ok":true},"winner":1}}}
  = status completed
