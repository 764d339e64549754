# A crash after pure work and with an attempt out: the pure work stands, the attempt runs again.
plan
  a: noop
  b: shell.exec after=a
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
crash and recover
  = outstanding: perform b #1 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted b {"attempt":1,"policy":"retry"}
  > step_started b #2 perform
  ! perform b #2 shell.exec {}
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# Events that were never committed did not happen; the run goes on from the last that was.
plan
  a: echo {"n":1}
  b: echo {"n":2} after=a
  c: shell.exec after=b
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > step_started b #1 compute {"n":2}
  > step_completed b {"output":{"n":2}}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
  = status active
crash losing 3
  = outstanding: nothing
  > step_started b #1 compute {"n":2}
  > step_completed b {"output":{"n":2}}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
c finishes
  > step_completed c {"output":{"ok":true}}
  > workflow_completed {"output":{"c":{"ok":true}}}
  = status completed

# A crash between the start of a pure step and its answer: it is computed again.
plan
  a: echo {"n":1}
  b: shell.exec after=a
start
  > workflow_started
  > step_started a #1 compute {"n":1}
  > step_completed a {"output":{"n":1}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
  = status active
crash losing 2
  = outstanding: compute a #1
  > step_completed a {"output":{"n":1}}
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# An idempotent attempt cut short runs again under the same key.
plan
  a: http.get {"url":"u"}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  = status active
crash and recover
  = outstanding: perform a #1 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  ! perform a #2 http.get {"url":"u"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# An unsafe attempt cut short runs again by default, under the same key.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
crash and recover
  = outstanding: perform a #1 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a #1 finishes
  x refused CONFLICT attempt 1 of step a is no longer awaited
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_interrupted fail: the step fails with IN_DOUBT.
plan
  a: http.post {"body":1} on_interrupted=fail
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"fail"}
  > step_failed a {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  = status failed

# on_interrupted fail goes through on_error like any failure.
plan
  a: http.post {"body":1} on_interrupted=fail fallback=f
  f: noop
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"fail"}
  > error_handler_invoked a {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened","fallback":"f","strategy":"fallback_step"}
  > step_fallback a {"fallback_step":"f","original_error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened","original_step":"a"}
  > step_failed a {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  > step_started f #1 compute {}
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# on_interrupted ask: a question says what is known; `done` gives the output.
plan
  a: http.post {"body":1} on_interrupted=ask
  b: echo {"n":"${{steps.a.n}}"} after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"ask"}
  > decision_requested a {"data_inject":{"attempt":1,"idempotency_key":"kn6cqfkyuvjz3vvhopbyg6jor6t5eyfy","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step a was cut short by a restart; it may or may not have happened"}
  > step_suspended a
  ! ask a
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision a {"choice":"done","data":{"n":7}} as ann
  > signal_received {"agent_id":"ann","payload":{"choice":"done","data":{"n":7}},"step_id":"a","type":"decision"}
  > decision_resolved a {"choice":"done","data":{"n":7},"resolved_by":"ann"}
  > step_completed a {"output":{"n":7}}
  ! answered a
  > workflow_resumed
  > step_started b #1 compute {"n":7}
  > step_completed b {"output":{"n":7}}
  > workflow_completed {"output":{"b":{"n":7}}}
  = status completed

# on_interrupted ask: `retry` runs it again, under a new key.
plan
  a: http.post {"body":1} on_interrupted=ask
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"ask"}
  > decision_requested a {"data_inject":{"attempt":1,"idempotency_key":"kn6cqfkyuvjz3vvhopbyg6jor6t5eyfy","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step a was cut short by a restart; it may or may not have happened"}
  > step_suspended a
  ! ask a
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision a {"choice":"retry"}
  > signal_received {"payload":{"choice":"retry"},"step_id":"a","type":"decision"}
  > decision_resolved a {"choice":"retry"}
  > step_reset a {"generation":1}
  ! answered a
  > workflow_resumed
  > step_started a #2 perform
  ! perform a #2 http.post {"body":1} key=1
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_interrupted ask: `fail` fails the step.
plan
  a: http.post {"body":1} on_interrupted=ask
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"ask"}
  > decision_requested a {"data_inject":{"attempt":1,"idempotency_key":"kn6cqfkyuvjz3vvhopbyg6jor6t5eyfy","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step a was cut short by a restart; it may or may not have happened"}
  > step_suspended a
  ! ask a
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision a {"choice":"fail"}
  > signal_received {"payload":{"choice":"fail"},"step_id":"a","type":"decision"}
  > decision_resolved a {"choice":"fail"}
  > step_failed a {"error":"[IN_DOUBT] it is not known whether the attempt happened"}
  ! answered a
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [IN_DOUBT] it is not known whether the attempt happened"}
  = status failed

# on_interrupted ask: a retry signal says the same as `retry`, a skip signal skips.
plan
  a: http.post {"body":1} on_interrupted=ask
  b: http.post {"body":2} on_interrupted=ask
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  > step_started b #1 perform
  ! perform b #1 http.post {"body":2}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}, perform b #1 http.post {"body":2}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"ask"}
  > decision_requested a {"data_inject":{"attempt":1,"idempotency_key":"kn6cqfkyuvjz3vvhopbyg6jor6t5eyfy","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step a was cut short by a restart; it may or may not have happened"}
  > step_suspended a
  > step_interrupted b {"attempt":1,"policy":"ask"}
  > decision_requested b {"data_inject":{"attempt":1,"idempotency_key":"xsyny3zq2i2qu55os2fbdgyrt4dxzurq","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_b","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step b was cut short by a restart; it may or may not have happened"}
  > step_suspended b
  ! ask a
  ! ask b
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > decision_cancelled a {"reason":"run again by a signal"}
  > step_reset a {"generation":1}
  ! withdraw a
  > workflow_resumed
  > step_started a #2 perform
  ! perform a #2 http.post {"body":1} key=1
  = status active
signal skip b
  > signal_received {"step_id":"b","type":"skip"}
  > decision_cancelled b {"reason":"skipped by a signal"}
  > step_skipped b {"reason":"signal"}
  ! withdraw b
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# on_interrupted ask does not concern idempotent actions.
plan
  on_interrupted = ask
  a: http.get {"url":"u"}
  b: http.post {"body":1}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  > step_started b #1 perform
  ! perform b #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.get {"url":"u"}, perform b #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  > step_interrupted b {"attempt":1,"policy":"ask"}
  > decision_requested b {"data_inject":{"attempt":1,"idempotency_key":"xsyny3zq2i2qu55os2fbdgyrt4dxzurq","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_b","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step b was cut short by a restart; it may or may not have happened"}
  > step_suspended b
  ! perform a #2 http.get {"url":"u"}
  ! ask b
signal decision b {"choice":"done"}
  > signal_received {"payload":{"choice":"done"},"step_id":"b","type":"decision"}
  > decision_resolved b {"choice":"done"}
  > step_completed b
  ! answered b
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"b":null}}
  = status completed

# A step's own on_interrupted stands above the workflow's.
plan
  on_interrupted = ask
  a: shell.exec on_interrupted=retry
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
crash and recover
  = outstanding: perform a #1 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}

# A crash does not use up retries.
plan
  a: shell.exec retry.max=1
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
crash and recover
  = outstanding: perform a #1 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+0s"}
  > step_started a #3 perform
  ! perform a #3 shell.exec {}
crash and recover
  = outstanding: perform a #3 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":3,"policy":"retry"}
  > step_started a #4 perform
  ! perform a #4 shell.exec {}
a fails EXECUTION_ERROR "y"
  > step_failed a {"error":"[EXECUTION_ERROR] y"}
  > workflow_failed {"error":"[RETRY_EXHAUSTED] step a: retries exhausted after 2 attempts: [EXECUTION_ERROR] y"}
  = status failed

# A question asked because of a crash is asked again after another crash, not twice.
plan
  a: http.post {"body":1} on_interrupted=ask
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  = status active
crash and recover
  = outstanding: perform a #1 http.post {"body":1}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"ask"}
  > decision_requested a {"data_inject":{"attempt":1,"idempotency_key":"kn6cqfkyuvjz3vvhopbyg6jor6t5eyfy","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step a was cut short by a restart; it may or may not have happened"}
  > step_suspended a
  ! ask a
  > workflow_suspended {"reason":"decision"}
  = status suspended
crash and recover
  = outstanding: ask a
signal decision a {"choice":"done"}
  > signal_received {"payload":{"choice":"done"},"step_id":"a","type":"decision"}
  > decision_resolved a {"choice":"done"}
  > step_completed a
  ! answered a
  > workflow_completed {"output":{"a":null}}
  = status completed

# An attempt that was being stopped when the process died is over; its step is skipped.
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
crash and recover
  = outstanding: stop b #1
  > workflow_interrupted {"reason":"process_restart"}
  > step_skipped b {"reason":"sibling_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed

# A cancelled run whose process dies ends cancelled.
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
crash and recover
  = outstanding: stop a #1
  > workflow_interrupted {"reason":"process_restart"}
  > step_skipped a {"reason":"cancelled"}
  > workflow_cancelled {"reason":"cancelled by a signal"}
  = status cancelled

# A race whose process dies between winner and loser.
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
crash and recover
  = outstanding: stop p.branch_1.b #1
  > workflow_interrupted {"reason":"process_restart"}
  > step_skipped p.branch_1.b {"reason":"race_lost"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"v":"a"},"winner":0}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"v":"a"},"winner":0}}}
  = status completed

# A loop goes on where it stood; iterations that were over stay over.
plan
  l: loop .over="[1,2,3]"
    a: http.post {"body":"${{iter.item}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 http.post {"body":1}
  = status active
l.iter_0.a finishes {"n":1}
  > step_completed l.iter_0.a {"output":{"n":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 http.post {"body":2}
crash and recover
  = outstanding: perform l.iter_1.a #1 http.post {"body":2}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted l.iter_1.a {"attempt":1,"policy":"retry"}
  > step_started l.iter_1.a #2 perform
  ! perform l.iter_1.a #2 http.post {"body":2}
l.iter_1.a finishes {"n":2}
  > step_completed l.iter_1.a {"output":{"n":2}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_iter_started l {"item":3,"iteration":2}
  > step_started l.iter_2.a #1 perform
  ! perform l.iter_2.a #1 http.post {"body":3}
crash and recover
  = outstanding: perform l.iter_2.a #1 http.post {"body":3}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted l.iter_2.a {"attempt":1,"policy":"retry"}
  > step_started l.iter_2.a #2 perform
  ! perform l.iter_2.a #2 http.post {"body":3}
l.iter_2.a finishes {"n":3}
  > step_completed l.iter_2.a {"output":{"n":3}}
  > loop_iter_completed l {"item":3,"iteration":2}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[{"n":1},{"n":2},{"n":3}]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[{"n":1},{"n":2},{"n":3}]}}}
  = status completed

# A crash of a suspended run changes nothing.
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
crash and recover
  = outstanding: ask d
show outstanding
  = outstanding: ask d

# Several attempts are cut short at once; each follows its own policy.
plan
  a: http.get {"url":"u"}
  b: http.post {"body":1} on_interrupted=ask
  c: shell.exec on_interrupted=fail on_error=ignore
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  > step_started b #1 perform
  ! perform b #1 http.post {"body":1}
  > step_started c #1 perform
  ! perform c #1 shell.exec {}
  = status active
crash and recover
  = outstanding: perform a #1 http.get {"url":"u"}, perform b #1 http.post {"body":1}, perform c #1 shell.exec {}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted a {"attempt":1,"policy":"retry"}
  > step_started a #2 perform
  > step_interrupted b {"attempt":1,"policy":"ask"}
  > decision_requested b {"data_inject":{"attempt":1,"idempotency_key":"xsyny3zq2i2qu55os2fbdgyrt4dxzurq","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_b","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step b was cut short by a restart; it may or may not have happened"}
  > step_suspended b
  > step_interrupted c {"attempt":1,"policy":"fail"}
  > error_handler_invoked c {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened","fallback":"","strategy":"ignore"}
  > step_ignored c {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened","fallback":"","strategy":"ignore"}
  > step_completed c {"output":{"error":{"code":"IN_DOUBT","message":"the attempt was cut short by a restart; it may or may not have happened","step_id":"c"},"ignored":true}}
  ! perform a #2 http.get {"url":"u"}
  ! ask b
signal decision b {"choice":"done"}
  > signal_received {"payload":{"choice":"done"},"step_id":"b","type":"decision"}
  > decision_resolved b {"choice":"done"}
  > step_completed b
  ! answered b
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"b":null,"c":{"error":{"code":"IN_DOUBT","message":"the attempt was cut short by a restart; it may or may not have happened","step_id":"c"},"ignored":true}}}
  = status completed

# An interruption with nothing under way says nothing.
plan
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
interrupt

# What holds a step in doubt is not tried again as a whole: that would repeat what its author wants asked about.
plan
  p: parallel retry.max=2
    branch
      a: http.post {"body":1} on_interrupted=fail
    branch
      b: http.get {"url":"u"} on_error=ignore
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 http.post {"body":1}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 http.get {"url":"u"}
  = status active
crash and recover
  = outstanding: perform p.branch_0.a #1 http.post {"body":1}, perform p.branch_1.b #1 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted p.branch_0.a {"attempt":1,"policy":"fail"}
  > step_failed p.branch_0.a {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  > step_interrupted p.branch_1.b {"attempt":1,"policy":"retry"}
  > step_started p.branch_1.b #2 perform
  ! perform p.branch_1.b #2 http.get {"url":"u"}
  > step_stopping p {"because":"sibling_failed","error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  > step_stopping p.branch_1.b {"because":"sibling_failed"}
  ! stop p.branch_1.b #2
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > step_failed p {"error":"[IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  > workflow_failed {"error":"[NON_RETRYABLE] step p.branch_0.a: non-retryable error: [IN_DOUBT] the attempt was cut short by a restart; it may or may not have happened"}
  = status failed

# A sibling's failure that would be tried again finds the question still open, and leaves it at that.
plan
  p: parallel retry.max=2
    branch
      a: http.post {"body":1} on_interrupted=ask
    branch
      b: http.get {"url":"u"}
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 http.post {"body":1}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 http.get {"url":"u"}
  = status active
crash and recover
  = outstanding: perform p.branch_0.a #1 http.post {"body":1}, perform p.branch_1.b #1 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted p.branch_0.a {"attempt":1,"policy":"ask"}
  > decision_requested p.branch_0.a {"data_inject":{"attempt":1,"idempotency_key":"g32dpnnig7cw3jt6u6bajlk6suhwn5je","started_at":"2026-01-01T00:00:00.000Z"},"id":"<run>_p.branch_0.a","kind":"in_doubt","options":[{"description":"run it again","id":"retry"},{"description":"it happened; `data` is its output","id":"done"},{"description":"fail the step","id":"fail"}],"prompt_context":"attempt 1 of step p.branch_0.a was cut short by a restart; it may or may not have happened"}
  > step_suspended p.branch_0.a
  > step_interrupted p.branch_1.b {"attempt":1,"policy":"retry"}
  > step_started p.branch_1.b #2 perform
  ! ask p.branch_0.a
  ! perform p.branch_1.b #2 http.get {"url":"u"}
p.branch_1.b fails EXECUTION_ERROR "gone"
  > step_failed p.branch_1.b {"error":"[EXECUTION_ERROR] gone"}
  > step_stopping p {"because":"sibling_failed","error":"[EXECUTION_ERROR] gone"}
  > decision_cancelled p.branch_0.a {"reason":"no longer needed"}
  > step_skipped p.branch_0.a {"reason":"sibling_failed"}
  ! withdraw p.branch_0.a
  > step_failed p {"error":"[IN_DOUBT] not tried again, because step p.branch_0.a may have happened: [EXECUTION_ERROR] step p.branch_1.b: gone"}
  > workflow_failed {"error":"[NON_RETRYABLE] step p: non-retryable error: [IN_DOUBT] not tried again, because step p.branch_0.a may have happened: [EXECUTION_ERROR] step p.branch_1.b: gone"}
  = status failed
