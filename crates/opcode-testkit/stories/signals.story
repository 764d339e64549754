# cancel stops what runs, awaits it, and ends the run as cancelled, with its reason.
plan
  a: shell.exec
  w: wait .duration=1h
  d: reasoning .prompt_context="?"
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started w #1 wait
  > wait_started w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  = status active
  = timer +1h0m0s
cancel "not needed"
  > signal_received {"payload":{"reason":"not needed"},"type":"cancel"}
  > workflow_ending {"reason":"not needed","status":"cancelled"}
  > step_stopping a {"because":"cancelled"}
  > step_skipped w {"reason":"cancelled"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"cancelled"}
  > step_skipped b {"reason":"cancelled"}
  ! stop a #1
  ! withdraw d
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"not needed"}
  = status cancelled
show steps
  = a skipped (cancelled)
  = b skipped (cancelled)
  = d skipped (cancelled)
  = w skipped (cancelled)
show error
  = {"code":"CANCELLED","details":{"reason":"not needed"},"message":"not needed"}

# cancel twice is fine, during and after.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_stopping a {"because":"cancelled"}
  ! stop a #1
cancel
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled
cancel

# cancel of a run in which nothing runs ends at once.
plan
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_skipped w {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# cancel of a suspended run.
plan
  d: reasoning .prompt_context="?"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"cancelled"}
  ! withdraw d
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# cancel of a run that its time limit suspended.
plan
  timeout = 1m
  on_timeout = suspend
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
cancel
  > signal_received {"type":"cancel"}
  > workflow_resumed
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_skipped w {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# cancel of a run that failed already but still stops: it ends cancelled.
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
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
b fails CANCELLED "stopped"
  > step_skipped b {"reason":"sibling_failed"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# cancel on a run that is over is refused, unless it was cancelled.
plan
  a: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
cancel
  x refused CONFLICT this workflow is completed and takes no signals

# cancel of one step needs an open question there.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal cancel a
  x refused CONFLICT step `a` is running; only an open decision can be cancelled alone
signal cancel nope
  x refused NOT_FOUND no step `nope`

# cancel in deep bodies: all of them are stopped and awaited.
plan
  p: parallel
    branch
      l: loop .over="[1,2]" .concurrency=2
        a: shell.exec
    branch
      c: condition .expression="true"
        case true
          b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.l #1 flow {"items":[1,2]}
  > step_started p.branch_1.c #1 flow
  > condition_evaluated p.branch_1.c {"branch":"true","expression":"true","result":"true","slot":0}
  > loop_iter_started p.branch_0.l {"item":1,"iteration":0}
  > loop_iter_started p.branch_0.l {"item":2,"iteration":1}
  > step_started p.branch_1.c.true.b #1 perform
  ! perform p.branch_1.c.true.b #1 shell.exec {}
  > step_started p.branch_0.l.iter_0.a #1 perform
  ! perform p.branch_0.l.iter_0.a #1 shell.exec {}
  > step_started p.branch_0.l.iter_1.a #1 perform
  ! perform p.branch_0.l.iter_1.a #1 shell.exec {}
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_stopping p {"because":"cancelled"}
  > step_stopping p.branch_0.l {"because":"cancelled"}
  > step_stopping p.branch_0.l.iter_0.a {"because":"cancelled"}
  > step_stopping p.branch_0.l.iter_1.a {"because":"cancelled"}
  > step_stopping p.branch_1.c {"because":"cancelled"}
  > step_stopping p.branch_1.c.true.b {"because":"cancelled"}
  ! stop p.branch_0.l.iter_0.a #1
  ! stop p.branch_0.l.iter_1.a #1
  ! stop p.branch_1.c.true.b #1
p.branch_0.l.iter_1.a fails CANCELLED "stopped"
  > step_skipped p.branch_0.l.iter_1.a {"reason":"cancelled"}
p.branch_1.c.true.b finishes
  > step_completed p.branch_1.c.true.b {"output":{"ok":true}}
  > step_skipped p.branch_1.c {"reason":"cancelled"}
p.branch_0.l.iter_0.a fails CANCELLED "stopped"
  > step_skipped p.branch_0.l.iter_0.a {"reason":"cancelled"}
  > step_skipped p.branch_0.l {"reason":"cancelled"}
  > step_skipped p {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled
show steps
  = p skipped (cancelled)
  = p.branch_0.l skipped (cancelled)
  = p.branch_0.l.iter_0.a skipped (cancelled)
  = p.branch_0.l.iter_1.a skipped (cancelled)
  = p.branch_1.c skipped (cancelled)
  = p.branch_1.c.true.b completed

# retry cuts a back-off short.
plan
  a: shell.exec retry.max=1 retry.delay=1h
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1h0m0s"}
  = timer +1h0m0s
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# retry of a failed step, while its run goes on, runs it again under a new key; who was skipped for it waits again.
plan
  failure_mode = branch
  a: shell.exec
  b: noop after=a
  slow: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_skipped b {"reason":"dependency_failed"}
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_reset a {"generation":1}
  > step_started a #2 perform
  ! perform a #2 shell.exec {} key=1
a finishes {"v":1}
  > step_completed a {"output":{"v":1}}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true},"slow":{"ok":true}}}
  = status completed
show steps
  = a completed
  = b completed
  = slow completed

# retry of a failed step that fails again.
plan
  failure_mode = branch
  a: shell.exec
  b: noop after=a
  c: noop after=b
  slow: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_skipped b {"reason":"dependency_failed"}
  > step_skipped c {"reason":"dependency_failed"}
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_reset a {"generation":1}
  > step_started a #2 perform
  ! perform a #2 shell.exec {} key=1
a fails VALIDATION_ERROR "still no"
  > step_failed a {"error":"[VALIDATION_ERROR] still no"}
  > step_skipped b {"reason":"dependency_failed"}
  > step_skipped c {"reason":"dependency_failed"}
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] still no"}
  = status failed

# retry of a failed step gives it its retries anew.
plan
  failure_mode = branch
  a: shell.exec retry.max=1
  slow: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "1"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 1","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 1","until":"+0s"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "2"
  > step_failed a {"error":"[EXECUTION_ERROR] 2"}
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_reset a {"generation":1}
  > step_started a #3 perform
  ! perform a #3 shell.exec {} key=1
a fails EXECUTION_ERROR "3"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 3","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 3","until":"+0s"}
  > step_started a #4 perform
  ! perform a #4 shell.exec {} key=1
a finishes
  > step_completed a {"output":{"ok":true}}
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"slow":{"ok":true}}}
  = status completed

# retry of a step whose fallback took over is refused.
plan
  failure_mode = branch
  a: shell.exec fallback=f
  f: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] no","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_started f #1 perform
  ! perform f #1 shell.exec {}
signal retry a
  x refused CONFLICT step `a` is failed; a retry is taken by a step in back-off, in doubt, or failed while its workflow goes on

# retry says what would be accepted.
plan
  a: shell.exec
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal retry a
  x refused CONFLICT step `a` is running; a retry is taken by a step in back-off, in doubt, or failed while its workflow goes on
signal retry b
  x refused CONFLICT step `b` is pending; a retry is taken by a step in back-off, in doubt, or failed while its workflow goes on
signal retry
  x refused CONFLICT nothing to resume; name the step to try again with `step_id`
signal retry nope
  x refused NOT_FOUND no step `nope`

# retry on a terminal run is refused, naming rerun.
plan
  a: fail
start
  > workflow_started
  > step_started a #1 compute {}
  > step_failed a {"error":"[EXECUTION_ERROR] failed on purpose"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [EXECUTION_ERROR] failed on purpose"}
  = status failed
signal retry a
  x refused CONFLICT this workflow is failed; rerun it instead
signal retry
  x refused CONFLICT this workflow is failed; rerun it instead

# skip of a step that waits for others.
plan
  a: shell.exec
  b: shell.exec after=a
  c: noop after=b
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal skip b because "not today"
  > signal_received {"reasoning":"not today","step_id":"b","type":"skip"}
  > step_skipped b {"detail":"not today","reason":"signal"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed
show steps
  = a completed
  = b skipped (not today)
  = c completed

# skip of a step in back-off.
plan
  a: shell.exec retry.max=1 retry.delay=1h
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1h0m0s"}
  = timer +1h0m0s
signal skip a
  > signal_received {"step_id":"a","type":"skip"}
  > step_skipped a {"reason":"signal"}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# skip of a timed wait, and of a wait for a signal.
plan
  v: wait .duration=1h
  w: wait .signal=go
start
  > workflow_started
  > step_started v #1 wait
  > wait_started v {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +1h0m0s
signal skip v
  > signal_received {"step_id":"v","type":"skip"}
  > step_skipped v {"reason":"signal"}
signal skip w
  > signal_received {"step_id":"w","type":"skip"}
  > step_skipped w {"reason":"signal"}
  > workflow_completed {"output":{}}
  = status completed

# skip of a running step is refused, and says what would be accepted.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal skip a
  x refused CONFLICT step `a` is running; a skip is taken by a step that waits, backs off, asks or is in doubt

# skip twice is fine.
plan
  a: shell.exec
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal skip b
  > signal_received {"step_id":"b","type":"skip"}
  > step_skipped b {"reason":"signal"}
signal skip b

# skip of a step that is over is refused.
plan
  a: noop
  b: shell.exec
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
signal skip a
  x refused CONFLICT step `a` is completed; a skip is taken by a step that waits, backs off, asks or is in doubt

# skip of a fallback before it is needed: when its time comes, nothing more is done.
plan
  a: shell.exec fallback=f
  f: shell.exec
  c: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal skip f
  > signal_received {"step_id":"f","type":"skip"}
  > step_skipped f {"reason":"signal"}
a fails VALIDATION_ERROR "no"
  > error_handler_invoked a {"error":"[VALIDATION_ERROR] no","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[VALIDATION_ERROR] no","original_step":"a"}
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > step_started c #1 compute {}
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# skip and retry need a step.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal skip
  x refused VALIDATION_ERROR a skip signal needs a `step_id` here

# A mistyped step id gets a suggestion.
plan
  fetch: shell.exec
start
  > workflow_started
  > step_started fetch #1 perform
  ! perform fetch #1 shell.exec {}
  = status active
signal skip fetsch
  x refused NOT_FOUND no step `fetsch`; did you mean `fetch`?

# Nothing is taken by a run that is over.
plan
  a: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
signal data named go {"n":1}
  x refused CONFLICT this workflow is completed and takes no signals
signal skip a
  x refused CONFLICT this workflow is completed and takes no signals
signal decision a {"choice":"x"}
  x refused CONFLICT this workflow is completed and takes no signals

# A signal repeated with the same id changes nothing, whatever it says.
plan
  w: wait .duration=1h
  v: wait .duration=1h
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  > step_started v #1 wait
  > wait_started v {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  = status active
  = timer +1h0m0s
signal skip w id one
  > signal_received {"id":"one","step_id":"w","type":"skip"}
  > step_skipped w {"reason":"signal"}
signal skip v id one
signal skip v id two
  > signal_received {"id":"two","step_id":"v","type":"skip"}
  > step_skipped v {"reason":"signal"}
  > workflow_completed {"output":{}}
  = status completed

# retry of a step around others runs all of it again under new keys, even if one inside was run again before.
plan
  failure_mode = branch
  p: parallel
    branch
      a: shell.exec
    branch
      w: wait .signal=go
  slow: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started slow #1 perform
  ! perform slow #1 shell.exec {}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.w #1 wait
  > wait_started p.branch_1.w {"duration":"","signal":"go"}
  = status active
p.branch_0.a fails VALIDATION_ERROR "1"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] 1"}
signal retry p.branch_0.a
  > signal_received {"step_id":"p.branch_0.a","type":"retry"}
  > step_reset p.branch_0.a {"generation":1}
  > step_started p.branch_0.a #2 perform
  ! perform p.branch_0.a #2 shell.exec {} key=1
p.branch_0.a fails VALIDATION_ERROR "2"
  > step_failed p.branch_0.a {"error":"[VALIDATION_ERROR] 2"}
signal data named go
  > signal_received {"name":"go","type":"data"}
  > wait_completed p.branch_1.w
  > step_completed p.branch_1.w {"output":{"payload":null,"signal":"go"}}
  > step_failed p {"error":"[VALIDATION_ERROR] 2"}
signal retry p
  > signal_received {"step_id":"p","type":"retry"}
  > step_reset p {"generation":2}
  > step_started p #2 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {} key=2
  > step_started p.branch_1.w #1 wait
  > wait_started p.branch_1.w {"duration":"","signal":"go"}
p.branch_0.a finishes
  > step_completed p.branch_0.a {"output":{"ok":true}}
signal data named go
  > signal_received {"name":"go","type":"data"}
  > wait_completed p.branch_1.w
  > step_completed p.branch_1.w {"output":{"payload":null,"signal":"go"}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"ok":true},{"payload":null,"signal":"go"}],"mode":"all"}}
slow finishes
  > step_completed slow {"output":{"ok":true}}
  > workflow_completed {"output":{"p":{"branches":[{"ok":true},{"payload":null,"signal":"go"}],"mode":"all"},"slow":{"ok":true}}}
  = status completed
