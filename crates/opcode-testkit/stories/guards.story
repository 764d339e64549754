# A guard that is false skips its step; who depends on it goes on.
plan
  a: noop if="1 > 2"
  b: noop after=a
start
  > workflow_started
  > step_skipped a {"reason":"guard"}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed
show steps
  = a skipped (guard)
  = b completed

# A guard that is true lets its step run.
plan
  a: echo {"n":3}
  b: noop if="steps.a.n == 3" after=a
start
  > workflow_started
  > step_started a #1 compute {"n":3}
  > step_completed a {"output":{"n":3}}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# A guard sees inputs; an input that was not given makes it false, and the reason is recorded.
plan
  a: noop if="inputs.url != ''"
start
  > workflow_started
  > step_skipped a {"detail":"no input `url`; available: []","reason":"guard"}
  > workflow_completed {"output":{}}
  = status completed
show a
  = {"step_id":"a","status":"skipped","reason":"no input `url`; available: []"}

# A guard that reads a step that never ran is false, and says which.
plan
  a: noop if="false"
  b: noop if="steps.a.ok" after=a
start
  > workflow_started
  > step_skipped a {"reason":"guard"}
  > step_skipped b {"detail":"step `a` was skipped and has no output","reason":"guard"}
  > workflow_completed {"output":{}}
  = status completed
show b
  = {"step_id":"b","status":"skipped","reason":"step `a` was skipped and has no output"}

# A guard that reads a step that has not been reached yet is false.
plan
  a: noop if="steps.slow.ok"
  slow: shell.exec
  x warning /steps/0/condition: step `a` reads `steps.slow`, but `a` does not wait for it (hint: add `slow` to the `depends_on` of `a`) (fix: add /steps/0/depends_on ["slow"])
start
  > workflow_started
  > step_skipped a {"detail":"step `slow` has no output yet (it is scheduled)","reason":"guard"}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > workflow_completed {"output":{"slow":{"ok":true}}}
  = status completed
show a
  = {"step_id":"a","status":"skipped","reason":"step `slow` has no output yet (it is scheduled)"}

# A guard may wrap itself in ${{ }}.
plan
  a: noop if="${{ inputs.go }}"
start {"go":true}
  > workflow_started {"inputs":{"go":true}}
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A guard that gives no truth fails its step; no retry can cure it, so none is made.
plan
  a: noop if="1 + 1" retry.max=3
start
  > workflow_started
  > step_failed a {"error":"[EXECUTION_ERROR] a guard must be true or false, not int"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [EXECUTION_ERROR] a guard must be true or false, not int"}
  = status failed

# A guard that cannot be worked out for another reason fails its step.
plan
  a: echo {"n":1}
  b: noop if="steps.a.m == 1" after=a
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > step_failed b {"error":"[EXECUTION_ERROR] could not evaluate `steps.a.m == 1`: no field `m`; available: [n]"}
  > workflow_failed {"error":"[STEP_FAILED] step b: [EXECUTION_ERROR] could not evaluate `steps.a.m == 1`: no field `m`; available: [n]"}
  = status failed

# has() asks without failing.
plan
  a: echo {"n":1}
  b: noop if="has(steps.a.m)" after=a
  c: noop if="!has(inputs.x)" after=a
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > step_skipped b {"reason":"guard"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed
show steps
  = a completed
  = b skipped (guard)
  = c completed

# A failing guard whose step is ignored lets the workflow go on.
plan
  a: noop if="1 + 1" on_error=ignore
  b: noop after=a
start
  > workflow_started
  > error_handler_invoked a {"error":"[EXECUTION_ERROR] a guard must be true or false, not int","fallback":"","strategy":"ignore"}
  > step_ignored a {"error":"[EXECUTION_ERROR] a guard must be true or false, not int","fallback":"","strategy":"ignore"}
  > step_completed a {"output":{"error":{"code":"EXECUTION_ERROR","message":"a guard must be true or false, not int","step_id":"a"},"ignored":true}}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# A guard reads the status of another step, also by step_status.
plan
  a: noop if="false"
  b: noop if="step_status['a'] == 'skipped'" after=a
  c: noop if="steps.a.status == 'skipped'" after=a
start
  > workflow_started
  > step_skipped a {"reason":"guard"}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true},"c":{"ok":true}}}
  = status completed
show steps
  = a skipped (guard)
  = b completed
  = c completed

# A guard on a step with bodies skips all of them.
plan
  l: loop .over="[1]" if="false"
    a: shell.exec
  b: noop after=l
start
  > workflow_started
  > step_skipped l {"reason":"guard"}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed
show steps
  = b completed
  = l skipped (guard)

# A guard in a loop sees the iteration.
plan
  l: loop .over="[1,2,3]"
    a: noop if="iter.item == 2"
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_skipped l.iter_0.a {"reason":"guard"}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 compute {}
  > step_completed l.iter_1.a {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_iter_started l {"item":3,"iteration":2}
  > step_skipped l.iter_2.a {"reason":"guard"}
  > loop_iter_completed l {"item":3,"iteration":2}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[null,{"ok":true},null]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[null,{"ok":true},null]}}}
  = status completed
show steps
  = l completed
  = l.iter_0.a skipped (guard)
  = l.iter_1.a completed
  = l.iter_2.a skipped (guard)

# A guard reads the choice of a decision in a branch that ran.
plan
  gate: reasoning .prompt_context="go?"
  b: noop if="steps['gate'].choice == 'yes'" after=gate
start
  > workflow_started
  > step_started gate #1 ask
  > decision_requested gate {"id":"<run>_gate","kind":"reasoning","prompt_context":"go?"}
  > step_suspended gate
  ! ask gate
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision gate {"choice":"no"}
  > signal_received {"payload":{"choice":"no"},"step_id":"gate","type":"decision"}
  > decision_resolved gate {"choice":"no"}
  > step_completed gate {"output":{"choice":"no","data":null,"reasoning":null,"resolved_by":null}}
  ! answered gate
  > workflow_resumed
  > step_skipped b {"reason":"guard"}
  > workflow_completed {"output":{}}
  = status completed
show steps
  = b skipped (guard)
  = gate completed

# A guard is looked at once: a retry of the step does not ask again.
plan
  a: http.get {"url":"u"} if="context.on == true" retry.max=1
  off: workflow.context {"action":"update","data":{"on":false}}
  context = {"on":true}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  > step_started off #1 compute {"action":"update","data":{"on":false}}
  > context_updated {"data":{"on":false}}
  > step_completed off {"output":{"updated":true,"workflow_id":"<run>"}}
  = status active
a fails EXECUTION_ERROR "503"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 503","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 503","until":"+0s"}
  > step_started a #2 perform
  ! perform a #2 http.get {"url":"u"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"off":{"updated":true,"workflow_id":"<run>"}}}
  = status completed

# A step that follows a skipped one is satisfied; only failures poison.
plan
  failure_mode = branch
  a: noop if="false"
  b: noop after=a
  c: fail
  d: noop after=c
start
  > workflow_started
  > step_skipped a {"reason":"guard"}
  > step_started c #1 compute {}
  > step_failed c {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > step_skipped d {"reason":"dependency_failed"}
  > workflow_failed {"error":"[STEP_FAILED] step c: [EXECUTION_ERROR] failed on purpose"}
  = status failed
show steps
  = a skipped (guard)
  = b completed
  = c failed
  = d skipped (dependency_failed)
