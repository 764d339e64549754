# A flaky fetch succeeds on its second try; the save never sees the first.
plan
  fetch: http.get {"url":"u"} retry.max=2 retry.delay=2s
  save: http.post {"body":"${{steps.fetch.body}}"} after=fetch
start
  > workflow_started
  > step_started fetch #1 perform
  ! perform fetch #1 http.get {"url":"u"}
  = status active
fetch fails EXECUTION_ERROR "503"
  > step_retry_attempt fetch {"attempt":1,"error":"[EXECUTION_ERROR] 503","max_attempts":2,"retryable":true}
  > step_retrying fetch {"error":"[EXECUTION_ERROR] 503","until":"+2s"}
  = timer +2s
clock +1s
clock +2s
  > step_started fetch #2 perform
  ! perform fetch #2 http.get {"url":"u"}
crash and recover
  = outstanding: perform fetch #2 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted fetch {"attempt":2,"policy":"retry"}
  > step_started fetch #3 perform
  ! perform fetch #3 http.get {"url":"u"}
fetch finishes {"body":"b"}
  > step_completed fetch {"output":{"body":"b"}}
  > step_started save #1 perform
  ! perform save #1 http.post {"body":"b"}
save finishes
  > step_completed save {"output":{"ok":true}}
  > workflow_completed {"output":{"save":{"ok":true}}}
  = status completed
show fetch
  = {"step_id":"fetch","status":"completed","output":{"body":"b"},"duration_ms":2000,"retries":1}

# retry.max counts retries after the first attempt; used up, the workflow fails with RETRY_EXHAUSTED.
plan
  a: shell.exec retry.max=2 retry.backoff=linear retry.delay=20ms
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "refused"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] refused","max_attempts":2,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] refused","until":"+20ms"}
  = timer +20ms
clock +20ms
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "refused"
  > step_retry_attempt a {"attempt":2,"error":"[EXECUTION_ERROR] refused","max_attempts":2,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] refused","until":"+60ms"}
  = timer +60ms
clock +60ms
  > step_started a #3 perform
  ! perform a #3 shell.exec {}
a fails EXECUTION_ERROR "refused"
  > step_failed a {"error":"[EXECUTION_ERROR] refused"}
  > workflow_failed {"error":"[RETRY_EXHAUSTED] step a: retries exhausted after 3 attempts: [EXECUTION_ERROR] refused"}
  = status failed
show error
  = {"code":"RETRY_EXHAUSTED","details":{"cause":{"code":"EXECUTION_ERROR","message":"refused","step_id":"a"}},"message":"step a: retries exhausted after 3 attempts: [EXECUTION_ERROR] refused","step_id":"a"}

# Constant back-off pauses the same each time.
plan
  a: shell.exec retry.max=3 retry.backoff=constant retry.delay=5s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":3,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+5s"}
  = timer +5s
clock +5s
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":2,"error":"[EXECUTION_ERROR] x","max_attempts":3,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+10s"}
  = timer +10s
clock +10s
  > step_started a #3 perform
  ! perform a #3 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":3,"error":"[EXECUTION_ERROR] x","max_attempts":3,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+15s"}
  = timer +15s

# `none` is constant, as the reference has it.
plan
  a: shell.exec retry.max=1 retry.backoff=none retry.delay=3s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+3s"}
  = timer +3s

# Exponential back-off doubles, up to max_delay.
plan
  a: shell.exec retry.max=5 retry.backoff=exponential retry.delay=1s retry.max_delay=5s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":5,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1s"}
  = timer +1s
clock +1s
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":2,"error":"[EXECUTION_ERROR] x","max_attempts":5,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+3s"}
  = timer +3s
clock +3s
  > step_started a #3 perform
  ! perform a #3 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":3,"error":"[EXECUTION_ERROR] x","max_attempts":5,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+7s"}
  = timer +7s
clock +7s
  > step_started a #4 perform
  ! perform a #4 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":4,"error":"[EXECUTION_ERROR] x","max_attempts":5,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+12s"}
  = timer +12s
clock +12s
  > step_started a #5 perform
  ! perform a #5 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":5,"error":"[EXECUTION_ERROR] x","max_attempts":5,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+17s"}
  = timer +17s

# Without a delay a retry follows at once.
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
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# Retry-After is honoured when it asks for more than the pause.
plan
  a: http.get {"url":"u"} retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  = status active
a fails EXECUTION_ERROR "429" retry_after=30s
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 429","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 429 (after 30s)","until":"+30s"}
  = timer +30s
clock +29s
clock +30s
  > step_started a #2 perform
  ! perform a #2 http.get {"url":"u"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A pause longer than Retry-After stands.
plan
  a: http.get {"url":"u"} retry.max=1 retry.delay=60s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  = status active
a fails EXECUTION_ERROR "429" retry_after=30s
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 429","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 429 (after 30s)","until":"+1m0s"}
  = timer +1m0s

# Jitter draws the pause between zero and its full length, the same in every replay.
plan
  a: shell.exec retry.max=1 retry.delay=10s retry.jitter=true
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+3.58s"}
  = timer +3.58s
crash and recover
  = outstanding: nothing

# Codes that no retry can cure are not retried.
plan
  a: shell.exec retry.max=3
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "bad argument"
  > step_failed a {"error":"[VALIDATION_ERROR] bad argument"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] bad argument"}
  = status failed

# retry_on retries only its codes.
plan
  a: shell.exec retry.max=1 retry.retry_on=["TIMEOUT_ERROR"]
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_failed a {"error":"[EXECUTION_ERROR] x"}
  > workflow_failed {"error":"[STEP_FAILED] step a: [EXECUTION_ERROR] x"}
  = status failed

# retry_on retries its codes even if they are usually not worth it.
plan
  a: shell.exec retry.max=1 retry.retry_on=["VALIDATION_ERROR"]
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[VALIDATION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[VALIDATION_ERROR] x","until":"+0s"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A timeout of an attempt is retried, with the same limit anew.
plan
  a: http.get {"url":"u"} timeout=5s retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"} timeout=5s
  = status active
a fails TIMEOUT_ERROR "timed out after 5s"
  > step_retry_attempt a {"attempt":1,"error":"[TIMEOUT_ERROR] timed out after 5s","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[TIMEOUT_ERROR] timed out after 5s","until":"+1s"}
  = timer +1s
clock +1s
  > step_started a #2 perform
  ! perform a #2 http.get {"url":"u"} timeout=5s

# Every attempt asks for the same under the same key, whatever changed meanwhile.
plan
  context = {"v":1}
  a: http.post {"body":"${{context.v}}"} retry.max=1 retry.delay=1s
  b: workflow.context {"action":"update","data":{"v":2}}
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.post {"body":1}
  > step_started b #1 compute {"action":"update","data":{"v":2}}
  > context_updated {"data":{"v":2}}
  > step_completed b {"output":{"updated":true,"workflow_id":"<run>"}}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+1s"}
  = timer +1s
clock +1s
  > step_started a #2 perform
  ! perform a #2 http.post {"body":1}

# A pure step that fails is retried too.
plan
  a: fail {"message":"not yet"} retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started a #1 compute {"message":"not yet"}
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] not yet","max_attempts":1,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] not yet","until":"+1s"}
  = status active
  = timer +1s
clock +1s
  > step_started a #2 compute {"message":"not yet"}
  > step_failed a {"error":"[EXECUTION_ERROR] not yet"}
  > workflow_failed {"error":"[RETRY_EXHAUSTED] step a: retries exhausted after 2 attempts: [EXECUTION_ERROR] not yet"}
  = status failed

# A back-off survives a crash; its timer is still due.
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
crash and recover
  = outstanding: nothing
clock +1h
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A loop as a whole is retried: its bodies begin anew.
plan
  l: loop .over="[1,2]" retry.max=1 retry.delay=1s
    a: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  = status active
l.iter_0.a finishes {"n":1}
  > step_completed l.iter_0.a {"output":{"n":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
l.iter_1.a fails EXECUTION_ERROR "x"
  > step_failed l.iter_1.a {"error":"[EXECUTION_ERROR] x"}
  > step_retry_attempt l {"attempt":1,"error":"[EXECUTION_ERROR] step l.iter_1.a: x","max_attempts":1,"retryable":true}
  > step_retrying l {"error":"[EXECUTION_ERROR] x","until":"+1s"}
  = timer +1s
clock +1s
  > step_started l #2 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
l.iter_0.a finishes {"n":1}
  > step_completed l.iter_0.a {"output":{"n":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
l.iter_1.a finishes {"n":2}
  > step_completed l.iter_1.a {"output":{"n":2}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"n":1},{"n":2}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"n":1},{"n":2}]}}}
  = status completed

# A parallel step is retried after all its branches have stopped.
plan
  p: parallel retry.max=1
    branch
      a: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  = status active
p.branch_0.a fails EXECUTION_ERROR "x"
  > step_failed p.branch_0.a {"error":"[EXECUTION_ERROR] x"}
  > step_stopping p {"because":"sibling_failed","error":"[EXECUTION_ERROR] x"}
  > step_stopping p.branch_1.b {"because":"sibling_failed"}
  ! stop p.branch_1.b #1
p.branch_1.b fails CANCELLED "stopped"
  > step_skipped p.branch_1.b {"reason":"sibling_failed"}
  > step_retry_attempt p {"attempt":1,"error":"[EXECUTION_ERROR] step p.branch_0.a: x","max_attempts":1,"retryable":true}
  > step_retrying p {"error":"[EXECUTION_ERROR] x","until":"+0s"}
  > step_started p #2 flow
  > parallel_started p {"branches":2,"mode":"all"}
  > step_started p.branch_0.a #1 perform
  ! perform p.branch_0.a #1 shell.exec {}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
p.branch_0.a finishes
  > step_completed p.branch_0.a {"output":{"ok":true}}
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"ok":true},{"ok":true}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"ok":true},{"ok":true}],"mode":"all"}}}
  = status completed

# A condition is retried and looks at its expression again.
plan
  context = {"m":"bad"}
  c: condition .expression="context.m" retry.max=1 retry.delay=1s
    case bad
      x: workflow.context {"action":"update","data":{"m":"good"}}
      y: fail
    case good
      z: noop
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"bad","expression":"context.m","result":"bad","slot":0}
  > step_started c.bad.x #1 compute {"action":"update","data":{"m":"good"}}
  > context_updated {"data":{"m":"good"}}
  > step_completed c.bad.x {"output":{"updated":true,"workflow_id":"<run>"}}
  > step_started c.bad.y #1 compute {}
  > step_failed c.bad.y {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_retry_attempt c {"attempt":1,"error":"[EXECUTION_ERROR] step c.bad.y: failed on purpose","max_attempts":1,"retryable":true}
  > step_retrying c {"error":"[EXECUTION_ERROR] failed on purpose","until":"+1s"}
  = status active
  = timer +1s
clock +1s
  > step_started c #2 flow
  > condition_evaluated c {"branch":"good","expression":"context.m","result":"good","slot":1}
  > step_started c.good.z #1 compute {}
  > step_completed c.good.z {"output":{"ok":true}}
  > step_completed c {"output":{"branch":"good","output":{"ok":true}}}
  > workflow_completed {"output":{"c":{"branch":"good","output":{"ok":true}}}}
  = status completed

# A wait that ran out of time is retried as a wait.
plan
  w: wait .signal=go timeout=5s retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+5s"}
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +5s
clock +5s
  > step_retry_attempt w {"attempt":1,"error":"[TIMEOUT_ERROR] step w timed out after 5s","max_attempts":1,"retryable":true}
  > step_retrying w {"error":"[TIMEOUT_ERROR] step w timed out after 5s","until":"+6s"}
  = timer +6s
clock +6s
  > step_started w #2 wait {"deadline":"+11s"}
  > wait_started w {"duration":"","signal":"go"}
  = timer +11s
signal data named go {"v":1}
  > signal_received {"name":"go","payload":{"v":1},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"v":1},"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":{"v":1},"signal":"go"}}}
  = status completed

# A question nobody answered in time is asked again.
plan
  d: reasoning .prompt_context="?" .timeout=5s retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+5s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +5s
clock +5s
  > decision_cancelled d {"reason":"nobody answered in time"}
  > step_retry_attempt d {"attempt":1,"error":"[TIMEOUT_ERROR] decision timeout: no fallback option configured","max_attempts":1,"retryable":true}
  > step_retrying d {"error":"[TIMEOUT_ERROR] decision timeout: no fallback option configured","until":"+6s"}
  ! withdraw d
  > workflow_resumed
  = status active
  = timer +6s
clock +6s
  > step_started d #2 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+11s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +11s
signal decision d {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes"}
  > step_completed d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# A retry inside an iteration holds only its own iteration.
plan
  l: loop .over="[1,2]" .concurrency=2
    a: shell.exec retry.max=1 retry.delay=1s
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.a #1 perform
  ! perform l.iter_0.a #1 shell.exec {}
  > step_started l.iter_1.a #1 perform
  ! perform l.iter_1.a #1 shell.exec {}
  = status active
l.iter_0.a fails EXECUTION_ERROR "x"
  > step_retry_attempt l.iter_0.a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":1,"retryable":true}
  > step_retrying l.iter_0.a {"error":"[EXECUTION_ERROR] x","until":"+1s"}
  = timer +1s
l.iter_1.a finishes
  > step_completed l.iter_1.a {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
clock +1s
  > step_started l.iter_0.a #2 perform
  ! perform l.iter_0.a #2 shell.exec {}
l.iter_0.a finishes
  > step_completed l.iter_0.a {"output":{"ok":true}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}}
  = status completed

# Of what is being stopped nothing is tried again.
plan
  p: parallel .mode=race
    branch
      l: loop .over="[1]" timeout=1s retry.max=5
        a: shell.exec
    branch
      b: shell.exec
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":2,"mode":"race"}
  > step_started p.branch_0.l #1 flow {"items":[1]} {"deadline":"+1s"}
  > step_started p.branch_1.b #1 perform
  ! perform p.branch_1.b #1 shell.exec {}
  > loop_iter_started p.branch_0.l {"item":1,"iteration":0}
  > step_started p.branch_0.l.iter_0.a #1 perform
  ! perform p.branch_0.l.iter_0.a #1 shell.exec {}
  = status active
  = timer +1s
clock +1s
  > step_stopping p.branch_0.l {"because":"stopped","error":"[TIMEOUT_ERROR] step p.branch_0.l timed out after 1s"}
  > step_stopping p.branch_0.l.iter_0.a {"because":"stopped"}
  ! stop p.branch_0.l.iter_0.a #1
p.branch_1.b finishes
  > step_completed p.branch_1.b {"output":{"ok":true}}
  > step_stopping p {"because":"race_lost"}
p.branch_0.l.iter_0.a fails CANCELLED "stopped"
  > step_skipped p.branch_0.l.iter_0.a {"reason":"stopped"}
  > step_failed p.branch_0.l {"error":"[TIMEOUT_ERROR] step p.branch_0.l timed out after 1s"}
  > parallel_completed p
  > step_completed p {"output":{"mode":"race","output":{"ok":true},"winner":1}}
  > workflow_completed {"output":{"p":{"mode":"race","output":{"ok":true},"winner":1}}}
  = status completed

# A pause never overflows, however many retries came before.
plan
  a: shell.exec retry.max=40 retry.backoff=exponential retry.delay=100000h
  x warning /steps/0/retry/max: 40 retries may take very long (hint: a `max_delay` and the workflow's `timeout` bound them)
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] x","max_attempts":40,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+100000h0m0s"}
  = timer +100000h0m0s
signal retry a
  > signal_received {"step_id":"a","type":"retry"}
  > step_started a #2 perform
  ! perform a #2 shell.exec {}
a fails EXECUTION_ERROR "x"
  > step_retry_attempt a {"attempt":2,"error":"[EXECUTION_ERROR] x","max_attempts":40,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] x","until":"+100000h0m0s"}
  = timer +100000h0m0s

# on_error retry is a plain failure once retries are used up, said aloud.
plan
  a: shell.exec retry.max=1 on_error=retry
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
  > error_handler_invoked a {"error":"[EXECUTION_ERROR] x","fallback":"","strategy":"retry"}
  > step_failed a {"error":"[EXECUTION_ERROR] x"}
  > workflow_failed {"error":"[RETRY_EXHAUSTED] step a: retries exhausted after 2 attempts: [EXECUTION_ERROR] x"}
  = status failed

# A retry that meets an open breaker waits until that lets somebody try.
plan
  a: http.get retry.max=3 retry.delay=1s
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {}
  = status active
a fails EXECUTION_ERROR "500"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] 500","max_attempts":3,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] 500","until":"+1s"}
  = timer +1s
clock +1s
  > step_started a #2 perform
  ! perform a #2 http.get {}
a fails CIRCUIT_OPEN "held back" retry_after=30s
  > step_retry_attempt a {"attempt":2,"error":"[CIRCUIT_OPEN] held back","max_attempts":3,"retryable":true}
  > step_retrying a {"error":"[CIRCUIT_OPEN] held back (after 30s)","until":"+31s"}
  = timer +31s
clock +30s
clock +31s
  > step_started a #3 perform
  ! perform a #3 http.get {}
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A first attempt that meets an open breaker fails at once.
plan
  a: http.get retry.max=3
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {}
  = status active
a fails CIRCUIT_OPEN "held back" retry_after=30s
  > step_failed a {"error":"[CIRCUIT_OPEN] held back (after 30s)"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [CIRCUIT_OPEN] held back"}
  = status failed
