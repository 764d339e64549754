# A wait for a span: durable, with a timer and no slot.
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

# A timer never fires early, and fires once however late the clock is told.
plan
  w: wait .duration=10s
  a: noop after=w
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"10s","signal":"","until":"+10s"}
  = status active
  = timer +10s
clock +9s
clock +1h
  > wait_completed w
  > step_completed w {"output":{"waited":10000}}
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed
clock +2h

# A wait survives a crash; its time goes on running.
plan
  w: wait .duration=1h
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  = status active
  = timer +1h0m0s
crash and recover
  = outstanding: nothing
clock +1h
  > wait_completed w
  > step_completed w {"output":{"waited":3600000}}
  > workflow_completed {"output":{"w":{"waited":3600000}}}
  = status completed

# A wait of no time ends at once.
plan
  w: wait .duration=0s
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"0s","signal":"","until":"+0s"}
  > wait_completed w
  > step_completed w {"output":{"waited":0}}
  > workflow_completed {"output":{"w":{"waited":0}}}
  = status completed

# A wait's span may be computed.
plan
  w: wait .duration="${{inputs.s}}s"
start {"s":3}
  > workflow_started {"inputs":{"s":3}}
  > step_started w #1 wait
  > wait_started w {"duration":"3s","signal":"","until":"+3s"}
  = status active
  = timer +3s
clock +3s
  > wait_completed w
  > step_completed w {"output":{"waited":3000}}
  > workflow_completed {"output":{"w":{"waited":3000}}}
  = status completed

# A computed span that is no duration fails the step.
plan
  w: wait .duration="${{inputs.s}}"
start {"s":"soon"}
  > workflow_started {"inputs":{"s":"soon"}}
  > step_started w #1 wait
  > step_failed w {"error":"[VALIDATION_ERROR] `soon` is not a duration: a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h"}
  > workflow_failed {"error":"[NON_RETRYABLE] step w: non-retryable error: [VALIDATION_ERROR] `soon` is not a duration: a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h"}
  = status failed

# A wait for a named signal; waiting for one is active.
plan
  w: wait .signal=approved
  a: echo {"by":"${{steps.w.payload.by}}"} after=w
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"approved"}
  = status active
signal data named approved {"by":"ann"}
  > signal_received {"name":"approved","payload":{"by":"ann"},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"by":"ann"},"signal":"approved"}}
  > step_started a #1 compute {"by":"ann"}
  > step_completed a {"output":{"by":"ann"}}
  > workflow_completed {"output":{"a":{"by":"ann"}}}
  = status completed

# A signal may come before its wait does, and is kept.
plan
  a: shell.exec
  w: wait .signal=go after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal data named go {"n":1}
  > signal_received {"name":"go","payload":{"n":1},"type":"data"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":1},"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":{"n":1},"signal":"go"}}}
  = status completed

# Early signals are kept in order, one for each wait.
plan
  a: shell.exec
  l: loop .over="[1,2]" after=a
    w: wait .signal=go
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal data named go {"n":1}
  > signal_received {"name":"go","payload":{"n":1},"type":"data"}
signal data named go {"n":2}
  > signal_received {"name":"go","payload":{"n":2},"type":"data"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.w #1 wait
  > wait_started l.iter_0.w {"duration":"","signal":"go"}
  > wait_completed l.iter_0.w
  > step_completed l.iter_0.w {"output":{"payload":{"n":1},"signal":"go"}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.w #1 wait
  > wait_started l.iter_1.w {"duration":"","signal":"go"}
  > wait_completed l.iter_1.w
  > step_completed l.iter_1.w {"output":{"payload":{"n":2},"signal":"go"}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"payload":{"n":1},"signal":"go"},{"payload":{"n":2},"signal":"go"}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"payload":{"n":1},"signal":"go"},{"payload":{"n":2},"signal":"go"}]}}}
  = status completed

# A stray signal is kept and disturbs nobody.
plan
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
signal data named stop {"n":1}
  > signal_received {"name":"stop","payload":{"n":1},"type":"data"}
signal data named go {"n":2}
  > signal_received {"name":"go","payload":{"n":2},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":2},"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":{"n":2},"signal":"go"}}}
  = status completed

# A wait can be reached by its step id, by full path when it is nested.
plan
  p: parallel
    branch
      w: wait .signal=go
start
  > workflow_started
  > step_started p #1 flow
  > parallel_started p {"branches":1,"mode":"all"}
  > step_started p.branch_0.w #1 wait
  > wait_started p.branch_0.w {"duration":"","signal":"go"}
  = status active
signal data w {"n":1}
  x refused NOT_FOUND no step `w`; did you mean `p.branch_0.w`?
signal data p.branch_0.w {"n":2}
  > signal_received {"payload":{"n":2},"step_id":"p.branch_0.w","type":"data"}
  > wait_completed p.branch_0.w
  > step_completed p.branch_0.w {"output":{"payload":{"n":2},"signal":"go"}}
  > parallel_completed p
  > step_completed p {"output":{"branches":[{"payload":{"n":2},"signal":"go"}],"mode":"all"}}
  > workflow_completed {"output":{"p":{"branches":[{"payload":{"n":2},"signal":"go"}],"mode":"all"}}}
  = status completed

# A signal for a step by id may come early too.
plan
  a: shell.exec
  w: wait .signal=go after=a
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal data w {"n":1}
  > signal_received {"payload":{"n":1},"step_id":"w","type":"data"}
a finishes
  > step_completed a {"output":{"ok":true}}
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":1},"signal":"go"}}
  > workflow_completed {"output":{"w":{"payload":{"n":1},"signal":"go"}}}
  = status completed

# Two waits for one name: the first to listen hears it.
plan
  v: wait .signal=go
  w: wait .signal=go
start
  > workflow_started
  > step_started v #1 wait
  > wait_started v {"duration":"","signal":"go"}
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
signal data named go {"n":1}
  > signal_received {"name":"go","payload":{"n":1},"type":"data"}
  > wait_completed v
  > step_completed v {"output":{"payload":{"n":1},"signal":"go"}}
signal data named go {"n":2}
  > signal_received {"name":"go","payload":{"n":2},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":2},"signal":"go"}}
  > workflow_completed {"output":{"v":{"payload":{"n":1},"signal":"go"},"w":{"payload":{"n":2},"signal":"go"}}}
  = status completed

# A signal with an id counts once.
plan
  v: wait .signal=go
  w: wait .signal=go
start
  > workflow_started
  > step_started v #1 wait
  > wait_started v {"duration":"","signal":"go"}
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
signal data named go {"n":1} id s-1
  > signal_received {"id":"s-1","name":"go","payload":{"n":1},"type":"data"}
  > wait_completed v
  > step_completed v {"output":{"payload":{"n":1},"signal":"go"}}
signal data named go {"n":1} id s-1
signal data named go {"n":2} id s-2
  > signal_received {"id":"s-2","name":"go","payload":{"n":2},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":2},"signal":"go"}}
  > workflow_completed {"output":{"v":{"payload":{"n":1},"signal":"go"},"w":{"payload":{"n":2},"signal":"go"}}}
  = status completed

# A wait with a timeout fails when nobody signals.
plan
  w: wait .signal=go timeout=1m
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+1m0s"}
  > wait_started w {"duration":"","signal":"go"}
  = status active
  = timer +1m0s
clock +1m
  > step_failed w {"error":"[TIMEOUT_ERROR] step w timed out after 1m0s"}
  > workflow_failed {"error":"[STEP_FAILED] step w: [TIMEOUT_ERROR] step w timed out after 1m0s"}
  = status failed

# A wait for a span longer than its timeout fails when the timeout comes.
plan
  w: wait .duration=10s timeout=5s
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+5s"}
  > wait_started w {"duration":"10s","signal":"","until":"+10s"}
  = status active
  = timer +5s
clock +1h
  > step_failed w {"error":"[TIMEOUT_ERROR] step w timed out after 5s"}
  > workflow_failed {"error":"[STEP_FAILED] step w: [TIMEOUT_ERROR] step w timed out after 5s"}
  = status failed

# A wait for a span as long as its timeout ends well.
plan
  w: wait .duration=5s timeout=5s
start
  > workflow_started
  > step_started w #1 wait {"deadline":"+5s"}
  > wait_started w {"duration":"5s","signal":"","until":"+5s"}
  = status active
  = timer +5s
clock +1h
  > wait_completed w
  > step_completed w {"output":{"waited":5000}}
  > workflow_completed {"output":{"w":{"waited":5000}}}
  = status completed

# Of several timers the earliest is first, and each has its turn in one telling.
plan
  b: wait .duration=2s
  a: wait .duration=1s
  c: wait .duration=3s
start
  > workflow_started
  > step_started b #1 wait
  > wait_started b {"duration":"2s","signal":"","until":"+2s"}
  > step_started a #1 wait
  > wait_started a {"duration":"1s","signal":"","until":"+1s"}
  > step_started c #1 wait
  > wait_started c {"duration":"3s","signal":"","until":"+3s"}
  = status active
  = timer +1s
clock +10s
  > wait_completed a
  > step_completed a {"output":{"waited":1000}}
  > wait_completed b
  > step_completed b {"output":{"waited":2000}}
  > wait_completed c
  > step_completed c {"output":{"waited":3000}}
  > workflow_completed {"output":{"a":{"waited":1000},"b":{"waited":2000},"c":{"waited":3000}}}
  = status completed

# A data signal needs to say for whom.
plan
  w: wait .signal=go
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  = status active
signal data {"n":1}
  x refused VALIDATION_ERROR a data signal needs the name a wait listens for (`signal_name`), or its `step_id`

# A data signal for a step that is over is refused.
plan
  w: wait .signal=go
  a: shell.exec
start
  > workflow_started
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal data w {"n":1}
  > signal_received {"payload":{"n":1},"step_id":"w","type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":1},"signal":"go"}}
signal data w {"n":2}
  x refused CONFLICT step `w` is completed and waits for nothing
