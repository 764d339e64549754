# on_error ignore: the step counts as completed, and its output says why.
plan
  a: shell.exec on_error=ignore
  b: echo {"why":"${{steps.a.error.message}}","ignored":"${{steps.a.ignored}}"} after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"","strategy":"ignore"}
  > step_ignored a {"error":"[VALIDATION_ERROR] no","fallback":"","strategy":"ignore"}
  > step_completed a {"output":{"error":{"code":"VALIDATION_ERROR","message":"no","step_id":"a"},"ignored":true}}
  > step_started b #1 compute {"ignored":true,"why":"no"}
  > step_completed b {"output":{"ignored":true,"why":"no"}}
  > workflow_completed {"output":{"b":{"ignored":true,"why":"no"}}}
  = status completed

# on_error ignore comes after the retries.
plan
  a: shell.exec on_error=ignore retry.max=1
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
a fails EXECUTION_ERROR "x"
  > error_handler_invoked a {"error":"[EXECUTION_ERROR] x","fallback":"","strategy":"ignore"}
  > step_ignored a {"error":"[EXECUTION_ERROR] x","fallback":"","strategy":"ignore"}
  > step_completed a {"output":{"error":{"code":"EXECUTION_ERROR","message":"x","step_id":"a"},"ignored":true}}
  > workflow_completed {"output":{"a":{"error":{"code":"EXECUTION_ERROR","message":"x","step_id":"a"},"ignored":true}}}
  = status completed

# on_error fail_workflow is the default, said aloud.
plan
  a: fail {"code":"NON_RETRYABLE","message":"r"} on_error=fail_workflow
start
  > workflow_started
  > step_started a #1 compute {"code":"NON_RETRYABLE","message":"r"}
  > error_handler_invoked a {"error":"[NON_RETRYABLE] r","fallback":"","strategy":"fail_workflow"}
  > step_failed a {"error":"[NON_RETRYABLE] r"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [NON_RETRYABLE] r"}
  = status failed

# A fallback runs only when needed; until then it waits, and is skipped when nobody needs it.
plan
  a: shell.exec fallback=b
  b: shell.exec
  c: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > step_skipped b {"reason":"not_needed"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed
show steps
  = a completed
  = b skipped (not_needed)
  = c completed

# A fallback takes over: it runs once, and who waited for the first waits for it.
plan
  a: shell.exec fallback=b
  b: shell.exec
  c: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"b","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"b","original_error":"[VALIDATION_ERROR] no","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
b finishes
  > step_completed b {"output":{"ok":true}}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true},"c":{"ok":true}}}
  = status completed
show steps
  = a failed
  = b completed
  = c completed

# A fallback that fails fails the workflow; the error is its own.
plan
  a: shell.exec fallback=b
  b: shell.exec
  c: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "first"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] first","fallback":"b","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"b","original_error":"[VALIDATION_ERROR] first","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] first"}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
b fails VALIDATION_ERROR "second"
  > step_failed b {"error":"[VALIDATION_ERROR] second"}
  > workflow_ending {"error":"[NON_RETRYABLE] step b: non-retryable error: [VALIDATION_ERROR] second","status":"failed"}
  > step_skipped c {"reason":"sibling_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step b: non-retryable error: [VALIDATION_ERROR] second"}
  = status failed
show steps
  = a failed
  = b failed
  = c skipped (sibling_failed)

# A fallback of two primaries runs once, when the first of them fails.
plan
  a: shell.exec fallback=f
  b: shell.exec fallback=f
  f: shell.exec
  c: noop after=a,b
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
f finishes
  > step_completed f {"output":{"ok":true}}
b fails VALIDATION_ERROR "b"
  > error_handler_invoked b {"error":"[VALIDATION_ERROR] b","fallback":"f","strategy":"fallback_step"}
  > step_fallback b {"fallback_step":"f","original_error":"[VALIDATION_ERROR] b","original_step":"b"}
  > step_failed b {"error":"[VALIDATION_ERROR] b"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true},"f":{"ok":true}}}
  = status completed
show steps
  = a failed
  = b failed
  = c completed
  = f completed

# A fallback of two primaries that is still running when the second fails.
plan
  a: shell.exec fallback=f
  b: shell.exec fallback=f
  f: shell.exec
  c: noop after=b
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
b fails VALIDATION_ERROR "b"
  > error_handler_invoked b {"error":"[VALIDATION_ERROR] b","fallback":"f","strategy":"fallback_step"}
  > step_fallback b {"fallback_step":"f","original_error":"[VALIDATION_ERROR] b","original_step":"b"}
  > step_failed b {"error":"[VALIDATION_ERROR] b"}
f finishes
  > step_completed f {"output":{"ok":true}}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true},"f":{"ok":true}}}
  = status completed

# A fallback of two primaries that both succeed is skipped only then.
plan
  a: shell.exec fallback=f
  b: shell.exec fallback=f
  f: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
b finishes
  > step_completed b {"output":{"ok":true}}
  > step_skipped f {"reason":"not_needed"}
  > workflow_completed {"output":{"a":{"ok":true},"b":{"ok":true}}}
  = status completed
show steps
  = a completed
  = b completed
  = f skipped (not_needed)

# A fallback may depend on the step it takes over for.
plan
  a: shell.exec fallback=f
  f: shell.exec after=a
  c: noop after=f
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
f finishes
  > step_completed f {"output":{"ok":true}}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# A fallback that depends on both its primaries waits for both.
plan
  a: shell.exec fallback=f
  b: shell.exec fallback=f
  f: shell.exec after=a,b
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
b fails VALIDATION_ERROR "b"
  > error_handler_invoked b {"error":"[VALIDATION_ERROR] b","fallback":"f","strategy":"fallback_step"}
  > step_fallback b {"fallback_step":"f","original_error":"[VALIDATION_ERROR] b","original_step":"b"}
  > step_failed b {"error":"[VALIDATION_ERROR] b"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
f finishes
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# A fallback that depends on something slow waits for it.
plan
  a: shell.exec fallback=f
  slow: shell.exec
  f: shell.exec after=slow
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
f finishes
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# A fallback of a fallback: who waited for the first waits to the end of the chain.
plan
  a: shell.exec fallback=b
  b: shell.exec fallback=c
  c: shell.exec
  d: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "1"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] 1","fallback":"b","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"b","original_error":"[VALIDATION_ERROR] 1","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] 1"}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
b fails VALIDATION_ERROR "2"
  > error_handler_invoked b {"error":"[VALIDATION_ERROR] 2","fallback":"c","strategy":"fallback_step"}
  > step_fallback b {"fallback_step":"c","original_error":"[VALIDATION_ERROR] 2","original_step":"b"}
  > step_failed b {"error":"[VALIDATION_ERROR] 2"}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
c finishes
  > step_completed c {"output":{"ok":true}}
  > step_started d #1 compute {}
  > step_completed d {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true},"d":{"ok":true}}}
  = status completed
show steps
  = a failed
  = b failed
  = c completed
  = d completed

# The fallback sees why.
plan
  a: shell.exec fallback=f
  f: echo {"why":"${{steps.a.error.message}}","status":"${{step_status['a']}}"}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] no","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_started f #1 compute {"status":"failed","why":"no"}
  > step_completed f {"output":{"status":"failed","why":"no"}}
  > workflow_completed {"output":{"f":{"status":"failed","why":"no"}}}
  = status completed

# A fallback inside a branch takes over there.
plan
  p: parallel
    branch
      a: shell.exec fallback=f
      f: shell.exec
      g: noop after=a
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  = status active
p.branch_0.a fails VALIDATION_ERROR "no"
  > error_handler_invoked p.branch_0.a {"error":"[VALIDATION_ERROR] no","fallback":"p.branch_0.f","strategy":"fallback_step"}
  > step_fallback p.branch_0.a {"fallback_step":"p.branch_0.f","original_error":"[VALIDATION_ERROR] no","original_step":"p.branch_0.a"}
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] no"}
  > step_started p.branch_0.f #1 perform
  ! perform p.branch_0.f #1 shell.exec {}
p.branch_0.f finishes {"v":1}
  > step_completed p.branch_0.f {"output":{"v":1}}
  > step_started p.branch_0.g #1 compute {}
  > step_completed p.branch_0.g {"output":{"ok":true}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"ok":true}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"ok":true}],"mode":"all"}}}
  = status completed

# failure_mode branch: a failed fallback skips who waited for the first.
plan
  failure_mode = branch
  a: shell.exec fallback=f
  f: shell.exec
  c: noop after=a
  d: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started d #1 perform
  ! perform d #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "a"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] a","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] a","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] a"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
f fails VALIDATION_ERROR "f"
  > step_failed f {"error":"[VALIDATION_ERROR] f"}
  > step_skipped c {"reason":"dependency_failed"}
d finishes
  > step_completed d {"output":{"ok":true}}
  > workflow_failed {"error":"[NON_RETRYABLE] step f: non-retryable error: [VALIDATION_ERROR] f"}
  = status failed
show steps
  = a failed
  = c skipped (dependency_failed)
  = d completed
  = f failed

# failure_mode branch: a fallback nobody needs is skipped as not needed even if its own needs failed.
plan
  failure_mode = branch
  a: shell.exec fallback=f
  z: fail
  f: noop after=z
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started z #1 compute {}
  > step_failed z {"error":"[EXECUTION_ERROR] failed on purpose"}
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > step_skipped f {"reason":"not_needed"}
  > workflow_failed {"error":"[STEP_FAILED] step z: [EXECUTION_ERROR] failed on purpose"}
  = status failed
show steps
  = a completed
  = f skipped (not_needed)
  = z failed

# A fallback whose guard is false decides that nothing more is to do; the failure is handled.
plan
  a: shell.exec fallback=f
  f: noop if="false"
  c: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] no","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_skipped f {"reason":"guard"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed
show steps
  = a failed
  = c completed
  = f skipped (guard)

# A timeout of a wait counts as a failure: its fallback takes over.
plan
  w: wait .signal=go timeout=2s fallback=f
  f: noop
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+2s"}
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +2s
clock +2s
  > error_handler_invoked w {"error":"[TIMEOUT_ERROR] step w timed out after 2s","fallback":"f","strategy":"fallback_step"}
  > step_fallback w {"fallback_step":"f","original_error":"[TIMEOUT_ERROR] step w timed out after 2s","original_step":"w"}
  > step_failed w {"error":"[TIMEOUT_ERROR] step w timed out after 2s"}
  > step_started f #1 compute {}
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# A timeout of a wait can be ignored.
plan
  w: wait .signal=go timeout=2s on_error=ignore
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+2s"}
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +2s
clock +2s
  > error_handler_invoked w {"error":"[TIMEOUT_ERROR] step w timed out after 2s","fallback":"","strategy":"ignore"}
  > step_ignored w {"error":"[TIMEOUT_ERROR] step w timed out after 2s","fallback":"","strategy":"ignore"}
  > step_completed w {"output":{"error":{"code":"TIMEOUT_ERROR","message":"step w timed out after 2s","step_id":"w"},"ignored":true}}
  > workflow_completed {"output":{"w":{"error":{"code":"TIMEOUT_ERROR","message":"step w timed out after 2s","step_id":"w"},"ignored":true}}}
  = status completed

# An error inside a body can be handled by the step around it.
plan
  p: parallel on_error=ignore
    branch
      a: fail
    branch
      b: shell.exec
  c: noop after=p
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 compute {}
  > step_failed p.branch_0.a {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_stopping p {"because":"sibling_failed","error":"[EXECUTION_ERROR] failed on purpose"}
  > step_skipped p.branch_1.b {"reason":"sibling_failed"}
  > error_handler_invoked p {"error":"[EXECUTION_ERROR] step p.branch_0.a: failed on purpose","fallback":"","strategy":"ignore"}
  > step_ignored p {"error":"[EXECUTION_ERROR] step p.branch_0.a: failed on purpose","fallback":"","strategy":"ignore"}
  > step_completed p {"output":{"error":{"code":"EXECUTION_ERROR","message":"failed on purpose","step_id":"p.branch_0.a"},"ignored":true}}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed
p.branch_1.b fails CANCELLED "stopped"
  x refused CONFLICT attempt 0 of step p.branch_1.b is no longer awaited

# Ignored inside a body, the body goes on.
plan
  l: loop .over="[1,2]"
    a: shell.exec on_error=ignore
    b: noop
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
l.iter_0.a fails EXECUTION_ERROR "x"
  > error_handler_invoked l.iter_0.a {"error":"[EXECUTION_ERROR] x","fallback":"","strategy":"ignore"}
  > step_ignored l.iter_0.a {"error":"[EXECUTION_ERROR] x","fallback":"","strategy":"ignore"}
  > step_completed l.iter_0.a {"output":{"error":{"code":"EXECUTION_ERROR","message":"x","step_id":"l.iter_0.a"},"ignored":true}}
  > step_started l.iter_0.b #1 compute {}
  > step_completed l.iter_0.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
l.iter_1.a finishes
  > step_completed l.iter_1.a {"output":{"ok":true}}
  > step_started l.iter_1.b #1 compute {}
  > step_completed l.iter_1.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}}
  = status completed

# A step whose retries are used up goes to its fallback.
plan
  a: shell.exec retry.max=1 fallback=f
  f: noop
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
a fails EXECUTION_ERROR "x"
  > error_handler_invoked a {"error":"[EXECUTION_ERROR] x","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[EXECUTION_ERROR] x","original_step":"a"}
  > step_failed a {"error":"[EXECUTION_ERROR] x"}
  > step_started f #1 compute {}
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# In a body, a fallback written last has no turn of its own: it comes when it is called.
plan
  l: loop .over="[1,2]"
    a: shell.exec fallback=f
    b: noop
    f: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
l.iter_0.a finishes
  > step_completed l.iter_0.a {"output":{"ok":true}}
  > step_skipped l.iter_0.f {"reason":"not_needed"}
  > step_started l.iter_0.b #1 compute {}
  > step_completed l.iter_0.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
l.iter_1.a fails VALIDATION_ERROR "no"
  > error_handler_invoked l.iter_1.a {"error":"[VALIDATION_ERROR] no","fallback":"l.iter_1.f","strategy":"fallback_step"}
  > step_fallback l.iter_1.a {"fallback_step":"l.iter_1.f","original_error":"[VALIDATION_ERROR] no","original_step":"l.iter_1.a"}
  > step_failed l.iter_1.a {"error":"[VALIDATION_ERROR] no"}
  > step_started l.iter_1.f #1 perform
  ! perform l.iter_1.f #1 shell.exec {}
l.iter_1.f finishes
  > step_completed l.iter_1.f {"output":{"ok":true}}
  > step_started l.iter_1.b #1 compute {}
  > step_completed l.iter_1.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}}
  = status completed

# In a body, a fallback written next to its step: what follows goes on after either.
plan
  l: loop .over="[1,2]"
    a: shell.exec fallback=f
    f: shell.exec
    b: noop
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
l.iter_0.a finishes
  > step_completed l.iter_0.a {"output":{"ok":true}}
  > step_skipped l.iter_0.f {"reason":"not_needed"}
  > step_started l.iter_0.b #1 compute {}
  > step_completed l.iter_0.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
l.iter_1.a fails VALIDATION_ERROR "no"
  > error_handler_invoked l.iter_1.a {"error":"[VALIDATION_ERROR] no","fallback":"l.iter_1.f","strategy":"fallback_step"}
  > step_fallback l.iter_1.a {"fallback_step":"l.iter_1.f","original_error":"[VALIDATION_ERROR] no","original_step":"l.iter_1.a"}
  > step_failed l.iter_1.a {"error":"[VALIDATION_ERROR] no"}
  > step_started l.iter_1.f #1 perform
  ! perform l.iter_1.f #1 shell.exec {}
l.iter_1.f finishes
  > step_completed l.iter_1.f {"output":{"ok":true}}
  > step_started l.iter_1.b #1 compute {}
  > step_completed l.iter_1.b {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}}
  = status completed

# A flow step has a fallback like any other.
plan
  p: parallel .mode=race timeout=5s fallback=f
    branch
      w: wait .signal=go
    branch
      d: reasoning .prompt_context="?"
  f: noop
start
  > workflow_started
  > step_started p #1 flow {"deadline":"+5s"}
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.w #1 wait
  > wait_started p.branch_0.w {"duration":"","signal":"go"}
  > step_started p.branch_1.d #1 ask
  > decision_requested p.branch_1.d {"id":"<run>_p.branch_1.d","kind":"reasoning","prompt_context":"?"}
  > step_suspended p.branch_1.d
  ! ask p.branch_1.d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +5s
clock +5s
  > step_stopping p {"because":"stopped","error":"[TIMEOUT_ERROR] step p timed out after 5s"}
  > step_skipped p.branch_0.w {"reason":"stopped"}
  > decision_cancelled p.branch_1.d {"reason":"no longer needed"}
  > step_skipped p.branch_1.d {"reason":"stopped"}
  ! withdraw p.branch_1.d
  > workflow_resumed
  > error_handler_invoked p {"error":"[TIMEOUT_ERROR] step p timed out after 5s","fallback":"f","strategy":"fallback_step"}
  > step_fallback p {"fallback_step":"f","original_error":"[TIMEOUT_ERROR] step p timed out after 5s","original_step":"p"}
  > step_failed p {"error":"[TIMEOUT_ERROR] step p timed out after 5s"}
  > step_started f #1 compute {}
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed
