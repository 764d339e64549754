# workflow.run starts a child and returns its output; waiting for it holds no slot.
plan
  c: workflow.run {"template":"sub","params":{"n":"${{inputs.n}}"}}
  b: echo {"v":"${{steps.c.total}}"} after=c
start {"n":3} agent=ann
  > workflow_started {"agent_id":"ann","inputs":{"n":3}}
  > step_started c #1 compute {"params":{"n":3},"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub {"n":3} depth=1
  = status active
child c finishes {"total":6}
  > child_finished c {"output":{"total":6},"status":"completed"}
  > step_completed c {"output":{"total":6}}
  > step_started b #1 compute {"v":6}
  > step_completed b {"output":{"v":6}}
  > workflow_completed {"output":{"b":{"v":6}}}
  = status completed

# A child may be pinned to a version.
plan
  c: workflow.run {"template":"sub","version":"v2"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub","version":"v2"}
  > child_started c {"template_name":"sub","template_version":"v2","workflow_id":"<child c>"}
  ~ to <child c>: start sub:v2 null depth=1
  = status active
child c finishes
  > child_finished c {"output":{"ok":true},"status":"completed"}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# A child that fails fails the step, with its code; the run follows.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c fails STEP_FAILED "step x: boom"
  > child_finished c {"error":"[STEP_FAILED] step x: boom","status":"failed"}
  > step_failed c {"error":"[STEP_FAILED] child workflow <child c> failed: [STEP_FAILED] step x: boom"}
  > workflow_failed {"error":"[STEP_FAILED] step c: [STEP_FAILED] child workflow <child c> failed: [STEP_FAILED] step x: boom"}
  = status failed

# A child's failure can be retried: a new child, with its own id.
plan
  c: workflow.run {"template":"sub"} retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c fails EXECUTION_ERROR "boom"
  > child_finished c {"error":"[EXECUTION_ERROR] boom","status":"failed"}
  > step_retry_attempt c {"attempt":1,"error":"[EXECUTION_ERROR] child workflow <child c> failed: [EXECUTION_ERROR] boom","max_attempts":1,"retryable":true}
  > step_retrying c {"error":"[EXECUTION_ERROR] child workflow <child c> failed: [EXECUTION_ERROR] boom","until":"+1s"}
  = timer +1s
clock +1s
  > step_started c #2 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c#2>"}
  ~ to <child c#2>: start sub null depth=1
child c finishes
  > child_finished c {"output":{"ok":true},"status":"completed"}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# A child's failure can be ignored.
plan
  c: workflow.run {"template":"sub"} on_error=ignore
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c fails VALIDATION_ERROR "bad inputs"
  > child_finished c {"error":"[VALIDATION_ERROR] bad inputs","status":"failed"}
  > error_handler_invoked c {"error":"[VALIDATION_ERROR] child workflow <child c> failed: [VALIDATION_ERROR] bad inputs","fallback":"","strategy":"ignore"}
  > step_ignored c {"error":"[VALIDATION_ERROR] child workflow <child c> failed: [VALIDATION_ERROR] bad inputs","fallback":"","strategy":"ignore"}
  > step_completed c {"output":{"error":{"code":"VALIDATION_ERROR","details":{"error":{"code":"VALIDATION_ERROR","message":"bad inputs"},"workflow_id":"<child c>"},"message":"child workflow <child c> failed: [VALIDATION_ERROR] bad inputs","step_id":"c"},"ignored":true}}
  > workflow_completed {"output":{"c":{"error":{"code":"VALIDATION_ERROR","details":{"error":{"code":"VALIDATION_ERROR","message":"bad inputs"},"workflow_id":"<child c>"},"message":"child workflow <child c> failed: [VALIDATION_ERROR] bad inputs","step_id":"c"},"ignored":true}}}
  = status completed

# A child that was cancelled fails the step.
plan
  c: workflow.run {"template":"sub"} retry.retry_on=["TIMEOUT_ERROR"]
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_failed c {"error":"[CANCELLED] child workflow <child c> cancelled: [CANCELLED] cancelled"}
  > workflow_failed {"error":"[STEP_FAILED] step c: [CANCELLED] child workflow <child c> cancelled: [CANCELLED] cancelled"}
  = status failed

# A suspended child suspends its parent; when it moves again, so does the parent.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c suspends
  > child_suspended c
  > workflow_suspended {"reason":"decision"}
  = status suspended
child c suspends
child c resumes
  > child_resumed c
  > workflow_resumed
  = status active
child c suspends
  > child_suspended c
  > workflow_suspended {"reason":"decision"}
  = status suspended
child c finishes
  > child_finished c {"output":{"ok":true},"status":"completed"}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# A suspended child beside other work: the parent is suspended only once that is done.
plan
  c: workflow.run {"template":"sub"}
  a: shell.exec
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
child c suspends
  > child_suspended c
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_suspended {"reason":"decision"}
  = status suspended
child c finishes
  > child_finished c {"output":{"ok":true},"status":"completed"}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"c":{"ok":true}}}
  = status completed

# Messages count once: what was applied is refused.
plan
  c: workflow.run {"template":"sub"}
  a: shell.exec
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
child c finishes {"n":1}
  > child_finished c {"output":{"n":1},"status":"completed"}
  > step_completed c {"output":{"n":1}}
child c finishes {"n":2}
  x refused CONFLICT already applied
child c suspends
  x refused CONFLICT already applied

# Cancelling the parent cancels the child, and waits for it.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_stopping c {"because":"cancelled"}
  ~ to <child c>: cancel, the parent was stopped
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_skipped c {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# A child that finishes after it was told to end: what it did is recorded, the parent is cancelled all the same.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_stopping c {"because":"cancelled"}
  ~ to <child c>: cancel, the parent was stopped
child c finishes {"n":1}
  > child_finished c {"output":{"n":1},"status":"completed"}
  > step_completed c {"output":{"n":1}}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled
show c
  = {"step_id":"c","status":"completed","output":{"n":1}}

# A child's time limit: it is told to end, awaited, and then the step fails.
plan
  c: workflow.run {"template":"sub"} timeout=1m
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"} {"deadline":"+1m0s"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
  = timer +1m0s
clock +1m
  > step_stopping c {"because":"stopped","error":"[TIMEOUT_ERROR] step c timed out after 1m0s"}
  ~ to <child c>: cancel, the step ran out of time
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_failed c {"error":"[TIMEOUT_ERROR] step c timed out after 1m0s"}
  > workflow_failed {"error":"[STEP_FAILED] step c: [TIMEOUT_ERROR] step c timed out after 1m0s"}
  = status failed

# A child's time limit is per attempt.
plan
  c: workflow.run {"template":"sub"} timeout=1m retry.max=1
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"} {"deadline":"+1m0s"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
  = timer +1m0s
clock +1m
  > step_stopping c {"because":"stopped","error":"[TIMEOUT_ERROR] step c timed out after 1m0s"}
  ~ to <child c>: cancel, the step ran out of time
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_retry_attempt c {"attempt":1,"error":"[TIMEOUT_ERROR] step c timed out after 1m0s","max_attempts":1,"retryable":true}
  > step_retrying c {"error":"[TIMEOUT_ERROR] step c timed out after 1m0s","until":"+1m0s"}
  > step_started c #2 compute {"template":"sub"} {"deadline":"+2m0s"}
  > child_started c {"template_name":"sub","workflow_id":"<child c#2>"}
  ~ to <child c#2>: start sub null depth=1
  = timer +2m0s
clock +2m
  > step_stopping c {"because":"stopped","error":"[TIMEOUT_ERROR] step c timed out after 1m0s"}
  ~ to <child c#2>: cancel, the step ran out of time
child c finishes {"late":true}
  > child_finished c {"output":{"late":true},"status":"completed"}
  > step_completed c {"output":{"late":true}}
  > workflow_completed {"output":{"c":{"late":true}}}
  = status completed

# A child that ends in time leaves no timer.
plan
  c: workflow.run {"template":"sub"} timeout=1m
  a: shell.exec after=c
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"} {"deadline":"+1m0s"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
  = timer +1m0s
child c finishes
  > child_finished c {"output":{"ok":true},"status":"completed"}
  > step_completed c {"output":{"ok":true}}
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
clock +1m
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A failing sibling cancels the child.
plan
  c: workflow.run {"template":"sub"}
  a: shell.exec
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > workflow_ending {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no","status":"failed"}
  > step_stopping c {"because":"sibling_failed"}
  ~ to <child c>: cancel, the parent was stopped
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_skipped c {"reason":"sibling_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed

# A child in a loop: each iteration has its own.
plan
  l: loop .over="[1,2]" .concurrency=2
    c: workflow.run {"template":"sub","params":{"n":"${{iter.item}}"}}
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.c #1 compute {"params":{"n":1},"template":"sub"}
  > child_started l.iter_0.c {"template_name":"sub","workflow_id":"<child l.iter_0.c>"}
  ~ to <child l.iter_0.c>: start sub {"n":1} depth=1
  > step_started l.iter_1.c #1 compute {"params":{"n":2},"template":"sub"}
  > child_started l.iter_1.c {"template_name":"sub","workflow_id":"<child l.iter_1.c>"}
  ~ to <child l.iter_1.c>: start sub {"n":2} depth=1
  = status active
child l.iter_1.c finishes {"n":2}
  > child_finished l.iter_1.c {"output":{"n":2},"status":"completed"}
  > step_completed l.iter_1.c {"output":{"n":2}}
  > loop_iter_completed l {"item":2,"iteration":1}
child l.iter_0.c finishes {"n":1}
  > child_finished l.iter_0.c {"output":{"n":1},"status":"completed"}
  > step_completed l.iter_0.c {"output":{"n":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"n":1},{"n":2}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"n":1},{"n":2}]}}}
  = status completed

# A crash while a child runs changes nothing: it tells its end later.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
crash and recover
  = outstanding: nothing
child c finishes {"n":1}
  > child_finished c {"output":{"n":1},"status":"completed"}
  > step_completed c {"output":{"n":1}}
  > workflow_completed {"output":{"c":{"n":1}}}
  = status completed

# Workflows inside workflows are limited.
plan
  c: workflow.run {"template":"sub"}
start depth=32 child
  > workflow_started {"depth":32,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started c #1 compute {"template":"sub"}
  > step_failed c {"error":"[LIMIT_EXCEEDED] workflows inside workflows is limited to 32"}
  > workflow_failed {"error":"[NON_RETRYABLE] step c: non-retryable error: [LIMIT_EXCEEDED] workflows inside workflows is limited to 32"}
  ~ to parent (call): failed null [NON_RETRYABLE] step c: step c: non-retryable error: [LIMIT_EXCEEDED] workflows inside workflows is limited to 32
  = status failed
start depth=33 child
  x refused CONFLICT this workflow has begun already

# A child beyond the limit is not begun.
plan
  c: workflow.run {"template":"sub"}
start depth=33 child
  x refused LIMIT_EXCEEDED workflows inside workflows is limited to 32

# A child tells its parent how it ended.
plan
  a: echo {"n":1}
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > workflow_completed {"output":{"a":{"n":1}}}
  ~ to parent (call): completed {"a":{"n":1}}
  = status completed

# A child that fails tells its parent why.
plan
  a: fail {"code":"VALIDATION_ERROR","message":"no"}
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started a #1 compute {"code":"VALIDATION_ERROR","message":"no"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  ~ to parent (call): failed null [NON_RETRYABLE] step a: step a: non-retryable error: [VALIDATION_ERROR] no
  = status failed

# A child with a question tells its parent that it is suspended, and that it moves again.
plan
  d: reasoning .prompt_context="?"
  a: shell.exec after=d
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  ~ to parent (call): suspended
  = status suspended
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  ~ to parent (call): resumed
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  ~ to parent (call): completed {"a":{"ok":true}}
  = status completed

# A child whose question is answered last ends without more ado.
plan
  d: reasoning .prompt_context="?"
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  ~ to parent (call): suspended
  = status suspended
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}}
  ~ to parent (call): completed {"d":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  = status completed

# A child that is told to end ends, and says so, once.
plan
  a: shell.exec
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
parent cancels
  > workflow_ending {"reason":"the parent was stopped","status":"cancelled"}
  > step_stopping a {"because":"cancelled"}
  ! stop a #1
parent cancels
  x refused CONFLICT already applied
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"the parent was stopped"}
  ~ to parent (call): cancelled null
  = status cancelled
parent cancels
  x refused CONFLICT already applied

# A child with a question that is told to end.
plan
  d: reasoning .prompt_context="?"
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  ~ to parent (call): suspended
  = status suspended
parent cancels
  > workflow_ending {"reason":"the parent was stopped","status":"cancelled"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"cancelled"}
  ! withdraw d
  > workflow_cancelled {"reason":"the parent was stopped"}
  ~ to parent (call): cancelled null
  = status cancelled

# A child that its time limit suspended tells its parent, and again when it is resumed.
plan
  timeout = 1m
  on_timeout = suspend
  a: shell.exec
start child depth=1
  > workflow_started {"depth":1,"parent":{"run":"23c7aa5f-3342-87cd-8144-5485260c1fca","step":[3,"call"]}}
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  ~ to parent (call): suspended
  = status suspended
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  ~ to parent (call): resumed
  = status active
  = timer +2m0s
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  ~ to parent (call): completed {"a":{"ok":true}}
  = status completed

# A retry of what stands around a child starts a new child too.
plan
  p: parallel retry.max=1
    branch
      c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.c #1 compute {"template":"sub"}
  > child_started p.branch_0.c {"template_name":"sub","workflow_id":"<child p.branch_0.c>"}
  ~ to <child p.branch_0.c>: start sub null depth=1
  = status active
child p.branch_0.c fails EXECUTION_ERROR "boom"
  > child_finished p.branch_0.c {"error":"[EXECUTION_ERROR] boom","status":"failed"}
  > step_failed p.branch_0.c {"error":"[EXECUTION_ERROR] child workflow <child p.branch_0.c> failed: [EXECUTION_ERROR] boom"}
  > step_retry_attempt p {"attempt":1,"error":"[EXECUTION_ERROR] step p.branch_0.c: child workflow <child p.branch_0.c> failed: [EXECUTION_ERROR] boom","max_attempts":1,"retryable":true}
  > step_retrying p {"error":"[EXECUTION_ERROR] child workflow <child p.branch_0.c> failed: [EXECUTION_ERROR] boom","until":"+0s"}
  > step_started p #2 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.c #1 compute {"template":"sub"}
  > child_started p.branch_0.c {"template_name":"sub","workflow_id":"<child p.branch_0.c#2>"}
  ~ to <child p.branch_0.c#2>: start sub null depth=1
child p.branch_0.c finishes {"n":1}
  > child_finished p.branch_0.c {"output":{"n":1},"status":"completed"}
  > step_completed p.branch_0.c {"output":{"n":1}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"n":1}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"n":1}],"mode":"all"}}}
  = status completed

# A suspended child that is told to stop holds nobody up: its parent is active until it has ended.
plan
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
child c suspends
  > child_suspended c
  > workflow_suspended {"reason":"decision"}
  = status suspended
cancel "enough"
  > signal_received {"payload":{"reason":"enough"},"type":"cancel"}
  > workflow_ending {"reason":"enough","status":"cancelled"}
  > step_stopping c {"because":"cancelled"}
  ~ to <child c>: cancel, the parent was stopped
  > workflow_resumed
  = status active
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_skipped c {"reason":"cancelled"}
  > workflow_cancelled {"reason":"enough"}
  = status cancelled

# The same when a race is won beside it: what follows begins as soon as the child has ended.
plan
  p: parallel .mode=race
    branch
      c: workflow.run {"template":"sub"}
    branch
      a: shell.exec
  z: noop after=p
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.c #1 compute {"template":"sub"}
  > child_started p.branch_0.c {"template_name":"sub","workflow_id":"<child p.branch_0.c>"}
  ~ to <child p.branch_0.c>: start sub null depth=1
  > step_started p.branch_1.a #1 perform
  ! perform p.branch_1.a #1 shell.exec {}
  = status active
child p.branch_0.c suspends
  > child_suspended p.branch_0.c
p.branch_1.a finishes
  > step_completed p.branch_1.a {"output":{"ok":true}}
  > step_stopping p {"because":"race_lost"}
  > step_stopping p.branch_0.c {"because":"race_lost"}
  ~ to <child p.branch_0.c>: cancel, the parent was stopped
child p.branch_0.c is cancelled
  > child_finished p.branch_0.c {"status":"cancelled"}
  > step_skipped p.branch_0.c {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"ok":true},"winner":1}}
  > step_started z #1 compute {}
  > step_completed z {"output":{"ok":true}}
  > workflow_completed {"output":{"z":{"ok":true}}}
  = status completed
