# The workflow's time is up: it fails, and says so.
plan
  timeout = 1m
  a: shell.exec
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_stopping a {"because":"cancelled"}
  > step_skipped b {"reason":"cancelled"}
  ! stop a #1
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed
show steps
  = a skipped (cancelled)
  = b skipped (cancelled)

# on_timeout cancel ends as cancelled.
plan
  timeout = 1m
  on_timeout = cancel
  a: shell.exec
  b: noop after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"cancel"}
  > workflow_ending {"reason":"timed out after 1m0s","status":"cancelled"}
  > step_stopping a {"because":"cancelled"}
  > step_skipped b {"reason":"cancelled"}
  ! stop a #1
a fails CANCELLED "stopped"
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"timed out after 1m0s"}
  = status cancelled

# on_timeout suspend stops the run; `retry` resumes it with a fresh allowance.
plan
  timeout = 1m
  on_timeout = suspend
  w: wait .duration=90s
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"1m30s","signal":"","until":"+1m30s"}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
clock +80s
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  = status active
  = timer +1m30s
clock +90s
  > wait_completed w
  > step_completed w {"output":{"waited":90000}}
  > workflow_completed {"output":{"w":{"waited":90000}}}
  = status completed

# A run suspended by its time starts nothing new; what was under way may end.
plan
  timeout = 1m
  on_timeout = suspend
  a: shell.exec
  b: shell.exec after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
a finishes
  > step_completed a {"output":{"ok":true}}
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
  = timer +2m0s
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# A run suspended by its time still takes answers; they count once it is resumed.
plan
  timeout = 1m
  on_timeout = suspend
  d: reasoning .prompt_context="?"
  w: wait .duration=2m
  b: noop after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started w #1 wait
  > wait_started w {"duration":"2m0s","signal":"","until":"+2m0s"}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  = status active
  = timer +2m0s
clock +2m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended

# A run suspended by its time may be skipped forward.
plan
  timeout = 1m
  on_timeout = suspend
  a: shell.exec
  b: shell.exec after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
a finishes
  > step_completed a {"output":{"ok":true}}
signal skip b
  > signal_received {"step_id":"b","type":"skip"}
  > step_skipped b {"reason":"signal"}
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  > workflow_completed {"output":{}}
  = status completed

# The time limit can be hit again after a resumption.
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
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  = status active
  = timer +2m0s
clock +2m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  = status active
  = timer +3m0s
signal data named go
  > signal_received {"name":"go","type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":null,"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":null,"signal":"go"}}}
  = status completed

# Time suspended for a decision does not count.
plan
  timeout = 1m
  d: reasoning .prompt_context="?"
  a: shell.exec after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
clock +1h
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1h1m0s
clock +3629s
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# The active-time clock runs on from where it stood.
plan
  timeout = 1m
  w: wait .duration=40s
  d: reasoning .prompt_context="?" after=w
  v: wait .signal=go after=d
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"40s","signal":"","until":"+40s"}
  = status active
  = timer +40s
clock +40s
  > wait_completed w
  > step_completed w {"output":{"waited":40000}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
clock +1h
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  > step_started v #1 wait
  > wait_started v {"duration":"","signal":"go"}
  = status active
  = timer +1h0m20s
clock +3619s
clock +3620s
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_skipped v {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# timeout_scope wall: time suspended counts too.
plan
  timeout = 1m
  timeout_scope = wall
  d: reasoning .prompt_context="?"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"cancelled"}
  ! withdraw d
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# timeout_scope wall with on_timeout cancel.
plan
  timeout = 1m
  timeout_scope = wall
  on_timeout = cancel
  d: reasoning .prompt_context="?"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"cancel"}
  > workflow_ending {"reason":"timed out after 1m0s","status":"cancelled"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"cancelled"}
  ! withdraw d
  > workflow_cancelled {"reason":"timed out after 1m0s"}
  = status cancelled

# A workflow's time limit survives a crash.
plan
  timeout = 1m
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +1m0s
clock +30s
crash and recover
  = outstanding: nothing
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_skipped w {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# A run suspended by its time is still so after a crash.
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
crash and recover
  = outstanding: nothing
clock +1h
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  = status active
  = timer +1h1m0s
signal data named go
  > signal_received {"name":"go","type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":null,"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":null,"signal":"go"}}}
  = status completed

# The workflow's time comes before a step's timer of the same moment.
plan
  timeout = 1m
  w: wait .duration=1m
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"1m0s","signal":"","until":"+1m0s"}
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_skipped w {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# A timeout stops children too.
plan
  timeout = 1m
  c: workflow.run {"template":"sub"}
start
  > workflow_started
  > step_started c #1 compute {"template":"sub"}
  > child_started c {"template_name":"sub","workflow_id":"<child c>"}
  ~ to <child c>: start sub null depth=1
  = status active
  = timer +1m0s
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_stopping c {"because":"cancelled"}
  ~ to <child c>: cancel, the parent was stopped
child c is cancelled
  > child_finished c {"status":"cancelled"}
  > step_skipped c {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed

# A step in back-off when the time is up is skipped.
plan
  timeout = 1m
  a: shell.exec retry.max=1 retry.delay=1h
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1h0m0s"}
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"fail"}
  > workflow_ending {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s","status":"failed"}
  > step_skipped a {"reason":"cancelled"}
  > workflow_failed {"error":"[TIMEOUT_ERROR] workflow timed out after 1m0s"}
  = status failed
show a
  = {"step_id":"a","status":"skipped","reason":"cancelled","duration_ms":60000,"retries":1}

# A timeout of zero is none.
plan
  timeout = 0s
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active

# A run suspended by its time does not try a step again before it is resumed.
plan
  timeout = 1m
  on_timeout = suspend
  a: shell.exec retry.max=1 retry.delay=1h
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
  = timer +1m0s
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1h0m0s"}
clock +1m
  > workflow_timed_out {"limit_ms":60000,"on_timeout":"suspend"}
  > workflow_suspended {"reason":"timeout"}
  = status suspended
signal retry a
  x refused CONFLICT this workflow's time limit suspended it; resume it first: `retry` without `step_id`
signal retry
  > signal_received {"type":"retry"}
  > workflow_resumed
  = status active
  = timer +2m0s
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
