# on_complete runs once, after the outcome is decided.
plan
  a: echo {"n":1}
  hook on_complete: http.post {"body":"${{steps.a.n}}"}
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > workflow_ending {"output":{"a":{"n":1}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 perform
  ! perform on_complete.hook #1 http.post {"body":1}
  = status active
on_complete.hook finishes
  > step_completed on_complete.hook {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"n":1}}}
  = status completed

# on_error runs once, with the error in scope.
plan
  a: fail {"code":"VALIDATION_ERROR","message":"bad"}
  hook on_error: echo {"code":"${{error.code}}","why":"${{error.message}}","step":"${{error.step_id}}"}
start
  > workflow_started
  > step_started a #1 compute {"code":"VALIDATION_ERROR","message":"bad"}
  > step_failed a {"error":"[VALIDATION_ERROR] bad"}
  > workflow_ending {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] bad","status":"failed"}
  > hook_started {"body":1,"hook":"on_error"}
  > step_started on_error.hook #1 compute {"code":"NON_RETRYABLE","step":"a","why":"step a: non-retryable error: [VALIDATION_ERROR] bad"}
  > step_completed on_error.hook {"output":{"code":"NON_RETRYABLE","step":"a","why":"step a: non-retryable error: [VALIDATION_ERROR] bad"}}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] bad"}
  = status failed

# A hook may have an id of its own.
plan
  {"steps":[{"id":"a","action":"noop"}],"on_complete":{"id":"bye","action":"noop"}}
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.bye #1 compute {}
  > step_completed on_complete.bye {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_complete does not run when the run failed, on_error not when it completed.
plan
  a: noop
  hook on_error: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A failing hook does not change the outcome; it is recorded.
plan
  a: noop
  hook on_complete: fail
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 compute {}
  > step_failed on_complete.hook {"error":"[EXECUTION_ERROR] failed on purpose"}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
show steps
  = a completed
  = on_complete.hook failed

# A failing on_error hook does not change the outcome either.
plan
  a: fail {"code":"VALIDATION_ERROR","message":"first"}
  hook on_error: fail {"message":"second"}
start
  > workflow_started
  > step_started a #1 compute {"code":"VALIDATION_ERROR","message":"first"}
  > step_failed a {"error":"[VALIDATION_ERROR] first"}
  > workflow_ending {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] first","status":"failed"}
  > hook_started {"body":1,"hook":"on_error"}
  > step_started on_error.hook #1 compute {"message":"second"}
  > step_failed on_error.hook {"error":"[EXECUTION_ERROR] second"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] first"}
  = status failed

# A hook has its own retries.
plan
  a: noop
  hook on_complete: shell.exec retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 perform
  ! perform on_complete.hook #1 shell.exec {}
  = status active
on_complete.hook fails EXECUTION_ERROR "x"
  > step_retry_attempt on_complete.hook {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying on_complete.hook {"error":"[EXECUTION_ERROR] x","until":"+1s"}
  = timer +1s
clock +1s
  > step_started on_complete.hook #2 perform
  ! perform on_complete.hook #2 shell.exec {}
on_complete.hook finishes
  > step_completed on_complete.hook {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_error after a failure waits until what ran has stopped.
plan
  a: shell.exec
  b: shell.exec
  hook on_error: noop
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
  > hook_started {"body":1,"hook":"on_error"}
  > step_started on_error.hook #1 compute {}
  > step_completed on_error.hook {"output":{"ok":true}}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed

# A hook with a body: a loop of notices.
plan
  a: noop
  hook on_complete: loop .over="['x','y']"
    n: workflow.log {"message":"${{iter.item}}"}
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 flow {"items":["x","y"]}
  > loop_iter_started on_complete.hook {"item":"x","iteration":0}
  > step_started on_complete.hook.iter_0.n #1 compute {"message":"x"}
  > message_logged on_complete.hook.iter_0.n {"level":"info","message":"x"}
  > step_completed on_complete.hook.iter_0.n {"output":{"logged":true}}
  > loop_iter_completed on_complete.hook {"item":"x","iteration":0}
  > loop_iter_started on_complete.hook {"item":"y","iteration":1}
  > step_started on_complete.hook.iter_1.n #1 compute {"message":"y"}
  > message_logged on_complete.hook.iter_1.n {"level":"info","message":"y"}
  > step_completed on_complete.hook.iter_1.n {"output":{"logged":true}}
  > loop_iter_completed on_complete.hook {"item":"y","iteration":1}
  > loop_completed on_complete.hook
  > step_completed on_complete.hook {"output":{"iterations":2,"results":[{"logged":true},{"logged":true}]}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A hook may ask; the run is suspended until it is answered.
plan
  a: noop
  hook on_complete: reasoning .prompt_context="tell them?"
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 ask
  > decision_requested on_complete.hook {"id":"<run>_on_complete.hook","kind":"reasoning","prompt_context":"tell them?"}
  > step_suspended on_complete.hook
  ! ask on_complete.hook
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision on_complete.hook {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"on_complete.hook","type":"decision"}
  > decision_resolved on_complete.hook {"choice":"yes"}
  > step_completed on_complete.hook {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered on_complete.hook
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A hook with a guard that is false is skipped.
plan
  a: noop
  hook on_complete: noop if="false"
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_skipped on_complete.hook {"reason":"guard"}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A cancelled run runs no hook.
plan
  a: shell.exec
  hook on_error: noop
  hook on_complete: noop
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
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# A cancel while a hook runs stops the hook; the run is cancelled.
plan
  a: noop
  hook on_complete: shell.exec
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 perform
  ! perform on_complete.hook #1 shell.exec {}
  = status active
cancel
  > signal_received {"type":"cancel"}
  > workflow_ending {"reason":"cancelled by a signal","status":"cancelled"}
  > step_stopping on_complete.hook {"because":"cancelled"}
  ! stop on_complete.hook #1
on_complete.hook fails CANCELLED "stopped"
  > step_skipped on_complete.hook {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# A crash while a hook runs: the hook goes on.
plan
  a: noop
  hook on_complete: http.get {"url":"u"}
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 perform
  ! perform on_complete.hook #1 http.get {"url":"u"}
  = status active
crash and recover
  = outstanding: perform on_complete.hook #1 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted on_complete.hook {"attempt":1,"policy":"retry"}
  > step_started on_complete.hook #2 perform
  ! perform on_complete.hook #2 http.get {"url":"u"}
on_complete.hook finishes
  > step_completed on_complete.hook {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# The workflow's time limit no longer counts once the outcome is decided.
plan
  timeout = 1m
  a: noop
  hook on_complete: shell.exec
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"output":{"a":{"ok":true}},"status":"completed"}
  > hook_started {"body":1,"hook":"on_complete"}
  > step_started on_complete.hook #1 perform
  ! perform on_complete.hook #1 shell.exec {}
  = status active
clock +1h
on_complete.hook finishes
  > step_completed on_complete.hook {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_error runs after a timeout of the workflow.
plan
  timeout = 1m
  w: wait .signal=go
  hook on_error: echo {"code":"${{error.code}}"}
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_skipped w {"reason":"cancelled"}
  > hook_started {"body":1,"hook":"on_error"}
  > step_started on_error.hook #1 compute {"code":"TIMEOUT_ERROR"}
  > step_completed on_error.hook {"output":{"code":"TIMEOUT_ERROR"}}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# on_error runs when the output does not fit its schema.
plan
  output_schema = {"type":"object","required":["n"]}
  a: noop
  output = {"m":1}
  hook on_error: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_ending {"error":"[VALIDATION_ERROR] the output does not fit the output schema: /: \"n\" is a required property","status":"failed"}
  > hook_started {"body":1,"hook":"on_error"}
  > step_started on_error.hook #1 compute {}
  > step_completed on_error.hook {"output":{"ok":true}}
  > workflow_failed {"error":"[VALIDATION_ERROR] the output does not fit the output schema: /: \"n\" is a required property"}
  = status failed
