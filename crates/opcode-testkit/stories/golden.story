# Golden trail: a condition whose branch has two steps.
plan
  c: condition .expression="inputs.m"
    case fast
      x: noop
      y: noop
start {"m":"fast"}
  > workflow_started {"inputs":{"m":"fast"}}
  > step_started c #1 flow
  > condition_evaluated c {"branch":"fast","expression":"inputs.m","result":"fast","slot":0}
  > step_started c.fast.x #1 compute {}
  > step_completed c.fast.x {"output":{"ok":true}}
  > step_started c.fast.y #1 compute {}
  > step_completed c.fast.y {"output":{"ok":true}}
  > step_completed c {"output":{"branch":"fast","output":{"ok":true}}}
  > workflow_completed {"output":{"c":{"branch":"fast","output":{"ok":true}}}}
  = status completed

# Golden trail: a condition without a match.
plan
  c: condition .expression="inputs.m"
    case fast
      x: noop
start {"m":"q"}
  > workflow_started {"inputs":{"m":"q"}}
  > step_started c #1 flow
  > condition_evaluated c {"expression":"inputs.m","result":"q"}
  > step_completed c {"output":{"branch":"q","skipped":true}}
  > workflow_completed {"output":{"c":{"branch":"q","skipped":true}}}
  = status completed

# Golden trail: for_each over one item.
plan
  l: loop .over="['a']"
    h: noop
start
  > workflow_started
  > step_started l #1 flow {"items":["a"]}
  > loop_iter_started l {"item":"a","iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"item":"a","iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":1,"results":[{"ok":true}]}}}
  = status completed

# Golden trail: until true runs once.
plan
  l: loop .mode=until .condition="true" .max_iter=5
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":0,"last":true}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":1,"results":[{"ok":true}]}}}
  = status completed

# Golden trail: parallel all with one branch.
plan
  p: parallel
    branch
      a: noop
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.a #1 compute {}
  > step_completed p.branch_0.a {"output":{"ok":true}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"ok":true}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"ok":true}],"mode":"all"}}}
  = status completed

# Golden trail: a wait of five milliseconds.
plan
  w: wait .duration=5ms
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"5ms","signal":"","until":"+5ms"}
  = status active
  = timer +5ms
clock +5ms
  > wait_completed w
  > step_completed w {"output":{"waited":5}}
  > workflow_completed {"output":{"w":{"waited":5}}}
  = status completed

# Golden trail: a loop in a parallel step.
plan
  p: parallel
    branch
      l: loop .over="[1]"
        h: noop
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.l #1 flow {"items":[1]}
  > loop_iter_started p.branch_0.l {"item":1,"iteration":0}
  > step_started p.branch_0.l.iter_0.h #1 compute {}
  > step_completed p.branch_0.l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed p.branch_0.l {"item":1,"iteration":0}
  > loop_completed p.branch_0.l
  > step_completed p.branch_0.l {"output":{"iterations":1,"results":[{"ok":true}]}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"iterations":1,"results":[{"ok":true}]}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"iterations":1,"results":[{"ok":true}]}],"mode":"all"}}}
  = status completed

# Golden trail: a failing sub-step.
plan
  c: condition .expression="true"
    case true
      f: fail
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"true","expression":"true","result":"true","slot":0}
  > step_started c.true.f #1 compute {}
  > step_failed c.true.f {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_failed c {"error":"[EXECUTION_ERROR] failed on purpose"}
  > workflow_failed {"error":"[STEP_FAILED] step c.true.f: [EXECUTION_ERROR] failed on purpose"}
  = status failed

# Golden trail: on_error fail_workflow.
plan
  a: fail {"code":"NON_RETRYABLE","message":"r"} on_error=fail_workflow
start
  > workflow_started
  > step_started a #1 compute {"code":"NON_RETRYABLE","message":"r"}
  > error_handler_invoked a {"error":"[NON_RETRYABLE] r","fallback":"","strategy":"fail_workflow"}
  > step_failed a {"error":"[NON_RETRYABLE] r"}
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [NON_RETRYABLE] r"}
  = status failed

# Golden trail: on_error ignore.
plan
  a: fail {"code":"NON_RETRYABLE","message":"r"} on_error=ignore
start
  > workflow_started
  > step_started a #1 compute {"code":"NON_RETRYABLE","message":"r"}
  > error_handler_invoked a {"error":"[NON_RETRYABLE] r","fallback":"","strategy":"ignore"}
  > step_ignored a {"error":"[NON_RETRYABLE] r","fallback":"","strategy":"ignore"}
  > step_completed a {"output":{"error":{"code":"NON_RETRYABLE","message":"r","step_id":"a"},"ignored":true}}
  > workflow_completed {"output":{"a":{"error":{"code":"NON_RETRYABLE","message":"r","step_id":"a"},"ignored":true}}}
  = status completed

# Golden trail: a step, a question, a step. The run begins once; resuming is not beginning again.
plan
  a: noop
  d: reasoning .prompt_context="p" after=a
  b: noop after=d
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"p"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes"}
  > step_completed d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# Golden trail: of two questions one is answered; the other stays open.
plan
  d: reasoning .prompt_context="?"
  e: reasoning .prompt_context="?"
  a: noop after=e
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started e #1 ask
  > decision_requested e {"id":"<run>_e","kind":"reasoning","prompt_context":"?"}
  > step_suspended e
  ! ask e
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision e {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"e","type":"decision"}
  > decision_resolved e {"choice":"x"}
  > step_completed e {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered e
  > workflow_resumed
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_suspended {"reason":"decision"}

# Golden trail: of two questions one runs out of time without a fallback; the run fails then, not when the other is answered.
plan
  d: reasoning .prompt_context="?" .timeout=1h
  e: reasoning .prompt_context="?"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > step_started e #1 ask
  > decision_requested e {"id":"<run>_e","kind":"reasoning","prompt_context":"?"}
  > step_suspended e
  ! ask e
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +1h
  > decision_cancelled d {"reason":"nobody answered in time"}
  > step_failed d {"error":"[TIMEOUT_ERROR] decision timeout: no fallback option configured"}
  ! withdraw d
  > workflow_ending {"error":"[STEP_FAILED] step d: [TIMEOUT_ERROR] decision timeout: no fallback option configured","status":"failed"}
  > decision_cancelled e {"reason":"no longer needed"}
  > step_skipped e {"reason":"sibling_failed"}
  ! withdraw e
  > workflow_failed {"error":"[STEP_FAILED] step d: [TIMEOUT_ERROR] decision timeout: no fallback option configured"}
  = status failed

# Golden trail: of two questions one runs out of time and has a fallback.
plan
  d: reasoning .prompt_context="?" .timeout=1h .fallback=reject
  e: reasoning .prompt_context="?"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"fallback":"reject","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > step_started e #1 ask
  > decision_requested e {"id":"<run>_e","kind":"reasoning","prompt_context":"?"}
  > step_suspended e
  ! ask e
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +1h
  > decision_resolved d {"choice":"reject","reasoning":"timeout_auto_resolved","resolved_by":"system"}
  > step_completed d {"output":{"choice":"reject","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}
  ! answered d
signal decision e {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"e","type":"decision"}
  > decision_resolved e {"choice":"x"}
  > step_completed e {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered e
  > workflow_completed {"output":{"d":{"choice":"reject","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"},"e":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# Golden trail: retries with linear back-off, used up.
plan
  a: http.get {"url":"u"} retry.max=2 retry.backoff=linear retry.delay=20ms
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 http.get {"url":"u"}
  = status active
a fails EXECUTION_ERROR "connection refused"
  > step_retry_attempt a {"attempt":1,"error":"[EXECUTION_ERROR] connection refused","max_attempts":2,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] connection refused","until":"+20ms"}
  = timer +20ms
clock +20ms
  > step_started a #2 perform
  ! perform a #2 http.get {"url":"u"}
a fails EXECUTION_ERROR "connection refused"
  > step_retry_attempt a {"attempt":2,"error":"[EXECUTION_ERROR] connection refused","max_attempts":2,"retryable":true}
  > step_retrying a {"error":"[EXECUTION_ERROR] connection refused","until":"+60ms"}
  = timer +60ms
clock +60ms
  > step_started a #3 perform
  ! perform a #3 http.get {"url":"u"}
a fails EXECUTION_ERROR "connection refused"
  > step_failed a {"error":"[EXECUTION_ERROR] connection refused"}
  > workflow_failed {"error":"[RETRY_EXHAUSTED] step a: retries exhausted after 3 attempts: [EXECUTION_ERROR] connection refused"}
  = status failed

# Golden trail: a crash between two steps. The run goes on by itself.
plan
  a: noop
  b: http.get {"url":"u"} after=a
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > step_started b #1 perform
  ! perform b #1 http.get {"url":"u"}
  = status active
crash and recover
  = outstanding: perform b #1 http.get {"url":"u"}
  > workflow_interrupted {"reason":"process_restart"}
  > step_interrupted b {"attempt":1,"policy":"retry"}
  > step_started b #2 perform
  ! perform b #2 http.get {"url":"u"}
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed
