# for_each: one iteration after the other; results in order.
plan
  l: loop .over="['a','b']"
    h: echo {"v":"${{iter.item}}${{iter.index}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":["a","b"]}
  > loop_iter_started l {"item":"a","iteration":0}
  > step_started l.iter_0.h #1 compute {"v":"a0"}
  > step_completed l.iter_0.h {"output":{"v":"a0"}}
  > loop_iter_completed l {"item":"a","iteration":0}
  > loop_iter_started l {"item":"b","iteration":1}
  > step_started l.iter_1.h #1 compute {"v":"b1"}
  > step_completed l.iter_1.h {"output":{"v":"b1"}}
  > loop_iter_completed l {"item":"b","iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"v":"a0"},{"v":"b1"}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"v":"a0"},{"v":"b1"}]}}}
  = status completed

# for_each over an input, with outside work: the second begins when the first is done.
plan
  l: loop .over="inputs.items"
    h: shell.exec {"args":"${{iter.item}}"}
start {"items":[{"k":1},{"k":2}]}
  > workflow_started {"inputs":{"items":[{"k":1},{"k":2}]}}
  > step_started l #1 flow {"items":[{"k":1},{"k":2}]}
  > loop_iter_started l {"item":{"k":1},"iteration":0}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {"args":{"k":1}}
  = status active
l.iter_0.h finishes {"v":1}
  > step_completed l.iter_0.h {"output":{"v":1}}
  > loop_iter_completed l {"item":{"k":1},"iteration":0}
  > loop_iter_started l {"item":{"k":2},"iteration":1}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {"args":{"k":2}}
l.iter_1.h finishes {"v":2}
  > step_completed l.iter_1.h {"output":{"v":2}}
  > loop_iter_completed l {"item":{"k":2},"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"v":1},{"v":2}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"v":1},{"v":2}]}}}
  = status completed

# for_each over maps made by the expression keeps them whole.
plan
  l: loop .over="inputs.items.filter(i, i.k > 1)"
    h: echo {"k":"${{iter.item.k}}"}
start {"items":[{"k":1},{"k":2},{"k":3}]}
  > workflow_started {"inputs":{"items":[{"k":1},{"k":2},{"k":3}]}}
  > step_started l #1 flow {"items":[{"k":2},{"k":3}]}
  > loop_iter_started l {"item":{"k":2},"iteration":0}
  > step_started l.iter_0.h #1 compute {"k":2}
  > step_completed l.iter_0.h {"output":{"k":2}}
  > loop_iter_completed l {"item":{"k":2},"iteration":0}
  > loop_iter_started l {"item":{"k":3},"iteration":1}
  > step_started l.iter_1.h #1 compute {"k":3}
  > step_completed l.iter_1.h {"output":{"k":3}}
  > loop_iter_completed l {"item":{"k":3},"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"k":2},{"k":3}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"k":2},{"k":3}]}}}
  = status completed

# Zero iterations: an empty list, not null.
plan
  l: loop .over="[]"
    h: noop
start
  > workflow_started
  > step_started l #1 flow {"items":[]}
  > loop_completed l
  > step_completed l {"output":{"iterations":0,"results":[]}}
  > workflow_completed {"output":{"l":{"iterations":0,"results":[]}}}
  = status completed

# `over` must give a list.
plan
  l: loop .over="inputs.items"
    h: noop
start {"items":"abc"}
  > workflow_started {"inputs":{"items":"abc"}}
  > step_started l #1 flow
  > step_failed l {"error":"[EXECUTION_ERROR] `over` must give a list, not string"}
  > workflow_failed {"error":"[STEP_FAILED] step l: [EXECUTION_ERROR] `over` must give a list, not string"}
  = status failed

# max_iter cuts a for_each, and the output says so.
plan
  l: loop .over="inputs.items" .max_iter=2
    h: echo {"i":"${{iter.index}}"}
start {"items":[1,2,3]}
  > workflow_started {"inputs":{"items":[1,2,3]}}
  > step_started l #1 flow {"items":[1,2,3]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.h #1 compute {"i":0}
  > step_completed l.iter_0.h {"output":{"i":0}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.h #1 compute {"i":1}
  > step_completed l.iter_1.h {"output":{"i":1}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"i":0},{"i":1}],"truncated":true}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"i":0},{"i":1}],"truncated":true}}}
  = status completed

# while: looked at before each iteration; sees the iteration that would come and the last outputs.
plan
  l: loop .mode=while .condition="iter.index < 2" .max_iter=5
    h: echo {"i":"${{iter.index}}"}
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {"i":0}
  > step_completed l.iter_0.h {"output":{"i":0}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {"i":1}
  > step_completed l.iter_1.h {"output":{"i":1}}
  > loop_iter_completed l {"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"i":0},{"i":1}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"i":0},{"i":1}]}}}
  = status completed

# while false from the beginning: no iteration.
plan
  l: loop .mode=while .condition="false" .max_iter=5
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > loop_completed l
  > step_completed l {"output":{"iterations":0,"results":[]}}
  > workflow_completed {"output":{"l":{"iterations":0,"results":[]}}}
  = status completed

# while true is cut by max_iter, and the output says so.
plan
  l: loop .mode=while .condition="true" .max_iter=2
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {}
  > step_completed l.iter_1.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}],"truncated":true}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}],"truncated":true}}}
  = status completed

# while that ends exactly at max_iter was not cut.
plan
  l: loop .mode=while .condition="iter.index < 2" .max_iter=2
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {}
  > step_completed l.iter_1.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}]}}}
  = status completed

# until: looked at after each iteration, the steps of that iteration by short id.
plan
  l: loop .mode=until .condition="steps.h.v == 2" .max_iter=9
    h: echo {"v":"${{iter.index}}"}
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {"v":0}
  > step_completed l.iter_0.h {"output":{"v":0}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {"v":1}
  > step_completed l.iter_1.h {"output":{"v":1}}
  > loop_iter_completed l {"iteration":1}
  > loop_iter_started l {"iteration":2}
  > step_started l.iter_2.h #1 compute {"v":2}
  > step_completed l.iter_2.h {"output":{"v":2}}
  > loop_iter_completed l {"iteration":2,"last":true}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[{"v":0},{"v":1},{"v":2}]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[{"v":0},{"v":1},{"v":2}]}}}
  = status completed

# until is cut by max_iter, and the output says so.
plan
  l: loop .mode=until .condition="false" .max_iter=2
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {}
  > step_completed l.iter_1.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"ok":true},{"ok":true}],"truncated":true}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"ok":true},{"ok":true}],"truncated":true}}}
  = status completed

# until can poll: work, then a pause, until the answer fits.
plan
  l: loop .mode=until .condition="steps.ask.state == 'done'" .max_iter=10
    ask: http.get {"url":"u"}
    pause: wait .duration=30s if="steps.ask.state != 'done'"
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.ask #1 perform
  ! perform l.iter_0.ask #1 http.get {"url":"u"}
  = status active
l.iter_0.ask finishes {"state":"working"}
  > step_completed l.iter_0.ask {"output":{"state":"working"}}
  > step_started l.iter_0.pause #1 wait
  > wait_started l.iter_0.pause {"duration":"30s","signal":"","until":"+30s"}
  = timer +30s
clock +30s
  > wait_completed l.iter_0.pause
  > step_completed l.iter_0.pause {"output":{"waited":30000}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.ask #1 perform
  ! perform l.iter_1.ask #1 http.get {"url":"u"}
l.iter_1.ask finishes {"state":"done"}
  > step_completed l.iter_1.ask {"output":{"state":"done"}}
  > step_skipped l.iter_1.pause {"reason":"guard"}
  > loop_iter_completed l {"iteration":1,"last":true}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"waited":30000},{"state":"done"}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"waited":30000},{"state":"done"}]}}}
  = status completed

# break ends a loop after the iteration in which it is true.
plan
  l: loop .over="[1,2,3,4]" .break="iter.item == 2"
    h: echo {"v":"${{iter.item}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3,4]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.h #1 compute {"v":1}
  > step_completed l.iter_0.h {"output":{"v":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.h #1 compute {"v":2}
  > step_completed l.iter_1.h {"output":{"v":2}}
  > loop_iter_completed l {"item":2,"iteration":1,"last":true}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"v":1},{"v":2}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"v":1},{"v":2}]}}}
  = status completed

# A loop's condition that gives no truth fails the loop.
plan
  l: loop .mode=while .condition="iter.index" .max_iter=3
    h: noop
start
  > workflow_started
  > step_started l #1 flow
  > step_failed l {"error":"[EXECUTION_ERROR] a loop's condition must be true or false, not int"}
  > workflow_failed {"error":"[STEP_FAILED] step l: [EXECUTION_ERROR] a loop's condition must be true or false, not int"}
  = status failed

# A break that cannot be worked out fails the loop, once its other iterations have stopped.
plan
  l: loop .over="[1,2]" .concurrency=2 .break="steps.nope.x"
    h: shell.exec
  x warning /steps/0/config/break: no step is called `nope` (hint: the steps of this workflow are h, l)
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {}
  = status active
l.iter_0.h finishes
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > step_stopping l {"because":"sibling_failed","error":"[EXECUTION_ERROR] could not evaluate `steps.nope.x`: no step `nope`; available: [h, l.iter_0.h]"}
  > step_stopping l.iter_1.h {"because":"sibling_failed"}
  ! stop l.iter_1.h #1
l.iter_1.h fails CANCELLED "stopped"
  > step_skipped l.iter_1.h {"reason":"sibling_failed"}
  > step_failed l {"error":"[EXECUTION_ERROR] could not evaluate `steps.nope.x`: no step `nope`; available: [h, l.iter_0.h]"}
  > workflow_failed {"error":"[STEP_FAILED] step l: [EXECUTION_ERROR] could not evaluate `steps.nope.x`: no step `nope`; available: [h, l.iter_0.h]"}
  = status failed

# concurrency: at most so many at once; results in order whatever the order of their ends.
plan
  l: loop .over="[1,2,3]" .concurrency=2
    h: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {}
  = status active
l.iter_1.h finishes {"v":2}
  > step_completed l.iter_1.h {"output":{"v":2}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_iter_started l {"item":3,"iteration":2}
  > step_started l.iter_2.h #1 perform
  ! perform l.iter_2.h #1 shell.exec {}
l.iter_2.h finishes {"v":3}
  > step_completed l.iter_2.h {"output":{"v":3}}
  > loop_iter_completed l {"item":3,"iteration":2}
l.iter_0.h finishes {"v":1}
  > step_completed l.iter_0.h {"output":{"v":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[{"v":1},{"v":2},{"v":3}]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[{"v":1},{"v":2},{"v":3}]}}}
  = status completed

# break with concurrency: no new iteration begins, those under way finish.
plan
  l: loop .over="[1,2,3,4]" .concurrency=2 .break="iter.index == 1"
    h: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3,4]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {}
  = status active
l.iter_1.h finishes {"v":2}
  > step_completed l.iter_1.h {"output":{"v":2}}
  > loop_iter_completed l {"item":2,"iteration":1,"last":true}
l.iter_0.h finishes {"v":1}
  > step_completed l.iter_0.h {"output":{"v":1}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"v":1},{"v":2}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"v":1},{"v":2}]}}}
  = status completed

# A failing body fails the loop; the step and the workflow with it.
plan
  l: loop .over="[1,2]"
    h: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  = status active
l.iter_0.h fails VALIDATION_ERROR "no"
  > step_failed l.iter_0.h {"error":"[VALIDATION_ERROR] no"}
  > step_failed l {"error":"[VALIDATION_ERROR] no"}
  > workflow_failed {"error":"[NON_RETRYABLE] step l.iter_0.h: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = l failed
  = l.iter_0.h failed

# A failing iteration stops the others that run beside it.
plan
  l: loop .over="[1,2,3]" .concurrency=2
    h: shell.exec
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2,3]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {}
  = status active
l.iter_0.h fails VALIDATION_ERROR "no"
  > step_failed l.iter_0.h {"error":"[VALIDATION_ERROR] no"}
  > step_stopping l {"because":"sibling_failed","error":"[VALIDATION_ERROR] no"}
  > step_stopping l.iter_1.h {"because":"sibling_failed"}
  ! stop l.iter_1.h #1
l.iter_1.h fails CANCELLED "stopped"
  > step_skipped l.iter_1.h {"reason":"sibling_failed"}
  > step_failed l {"error":"[VALIDATION_ERROR] no"}
  > workflow_failed {"error":"[NON_RETRYABLE] step l.iter_0.h: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = l failed
  = l.iter_0.h failed
  = l.iter_1.h skipped (sibling_failed)

# failure_mode branch: a failing iteration does not end the loop; it fails at its end.
plan
  failure_mode = branch
  l: loop .over="[1,2]"
    h: shell.exec
  m: noop after=l
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.h #1 perform
  ! perform l.iter_0.h #1 shell.exec {}
  = status active
l.iter_0.h fails VALIDATION_ERROR "no"
  > step_failed l.iter_0.h {"error":"[VALIDATION_ERROR] no"}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.h #1 perform
  ! perform l.iter_1.h #1 shell.exec {}
l.iter_1.h finishes
  > step_completed l.iter_1.h {"output":{"ok":true}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > step_failed l {"error":"[VALIDATION_ERROR] no"}
  > step_skipped m {"reason":"dependency_failed"}
  > workflow_failed {"error":"[NON_RETRYABLE] step l.iter_0.h: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
show steps
  = l failed
  = l.iter_0.h failed
  = l.iter_1.h completed
  = m skipped (dependency_failed)

# failure_mode branch: a while loop whose condition turns false after a failure fails all the same.
plan
  failure_mode = branch
  l: loop .mode=while .condition="iter.index < 1" .max_iter=5
    h: fail
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_failed l.iter_0.h {"error":"[EXECUTION_ERROR] failed on purpose"}
  > step_failed l {"error":"[EXECUTION_ERROR] failed on purpose"}
  > workflow_failed {"error":"[STEP_FAILED] step l.iter_0.h: [EXECUTION_ERROR] failed on purpose"}
  = status failed

# Nested loops: each `iter` is the nearest; the outer is at hand through its own steps.
plan
  o: loop .over="['x','y']"
    keep: echo {"v":"${{iter.item}}"}
    i: loop .over="[1,2]"
      h: echo {"v":"${{steps.keep.v}}${{iter.item}}"}
start
  > workflow_started
  > step_started o #1 flow {"items":["x","y"]}
  > loop_iter_started o {"item":"x","iteration":0}
  > step_started o.iter_0.keep #1 compute {"v":"x"}
  > step_completed o.iter_0.keep {"output":{"v":"x"}}
  > step_started o.iter_0.i #1 flow {"items":[1,2]}
  > loop_iter_started o.iter_0.i {"item":1,"iteration":0}
  > step_started o.iter_0.i.iter_0.h #1 compute {"v":"x1"}
  > step_completed o.iter_0.i.iter_0.h {"output":{"v":"x1"}}
  > loop_iter_completed o.iter_0.i {"item":1,"iteration":0}
  > loop_iter_started o.iter_0.i {"item":2,"iteration":1}
  > step_started o.iter_0.i.iter_1.h #1 compute {"v":"x2"}
  > step_completed o.iter_0.i.iter_1.h {"output":{"v":"x2"}}
  > loop_iter_completed o.iter_0.i {"item":2,"iteration":1}
  > loop_completed o.iter_0.i
  > step_completed o.iter_0.i {"output":{"iterations":2,"results":[{"v":"x1"},{"v":"x2"}]}}
  > loop_iter_completed o {"item":"x","iteration":0}
  > loop_iter_started o {"item":"y","iteration":1}
  > step_started o.iter_1.keep #1 compute {"v":"y"}
  > step_completed o.iter_1.keep {"output":{"v":"y"}}
  > step_started o.iter_1.i #1 flow {"items":[1,2]}
  > loop_iter_started o.iter_1.i {"item":1,"iteration":0}
  > step_started o.iter_1.i.iter_0.h #1 compute {"v":"y1"}
  > step_completed o.iter_1.i.iter_0.h {"output":{"v":"y1"}}
  > loop_iter_completed o.iter_1.i {"item":1,"iteration":0}
  > loop_iter_started o.iter_1.i {"item":2,"iteration":1}
  > step_started o.iter_1.i.iter_1.h #1 compute {"v":"y2"}
  > step_completed o.iter_1.i.iter_1.h {"output":{"v":"y2"}}
  > loop_iter_completed o.iter_1.i {"item":2,"iteration":1}
  > loop_completed o.iter_1.i
  > step_completed o.iter_1.i {"output":{"iterations":2,"results":[{"v":"y1"},{"v":"y2"}]}}
  > loop_iter_completed o {"item":"y","iteration":1}
  > loop_completed o
  > step_completed o {"output":{"iterations":2,"results":[{"iterations":2,"results":[{"v":"x1"},{"v":"x2"}]},{"iterations":2,"results":[{"v":"y1"},{"v":"y2"}]}]}}
  > workflow_completed {"output":{"o":{"iterations":2,"results":[{"iterations":2,"results":[{"v":"x1"},{"v":"x2"}]},{"iterations":2,"results":[{"v":"y1"},{"v":"y2"}]}]}}}
  = status completed
show o
  = {"step_id":"o","status":"completed","output":{"iterations":2,"results":[{"iterations":2,"results":[{"v":"x1"},{"v":"x2"}]},{"iterations":2,"results":[{"v":"y1"},{"v":"y2"}]}]}}

# `iter` reaches into a parallel and a condition inside the loop.
plan
  l: loop .over="['a']"
    p: parallel
      branch
        c: condition .expression="iter.item"
          case a
            h: echo {"v":"${{iter.item}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":["a"]}
  > loop_iter_started l {"item":"a","iteration":0}
  > step_started l.iter_0.p #1 flow
  > parallel_started l.iter_0.p {"branches":1,"mode":"all"}
  > step_started l.iter_0.p.branch_0.c #1 flow
  > condition_evaluated l.iter_0.p.branch_0.c {"branch":"a","expression":"iter.item","result":"a","slot":0}
  > step_started l.iter_0.p.branch_0.c.a.h #1 compute {"v":"a"}
  > step_completed l.iter_0.p.branch_0.c.a.h {"output":{"v":"a"}}
  > step_completed l.iter_0.p.branch_0.c {"output":{"branch":"a","output":{"v":"a"}}}
  > parallel_completed l.iter_0.p
  > step_completed l.iter_0.p {"output":{"branches":[{"branch":"a","output":{"v":"a"}}],"mode":"all"}}
  > loop_iter_completed l {"item":"a","iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"branches":[{"branch":"a","output":{"v":"a"}}],"mode":"all"}]}}
  > workflow_completed {"output":{"l":{"iterations":1,"results":[{"branches":[{"branch":"a","output":{"v":"a"}}],"mode":"all"}]}}}
  = status completed

# `loop` is another name for `iter` in ${{ }}.
plan
  l: loop .over="[7]"
    h: echo {"v":"${{loop.item}}","i":"${{loop.index}}"}
start
  > workflow_started
  > step_started l #1 flow {"items":[7]}
  > loop_iter_started l {"item":7,"iteration":0}
  > step_started l.iter_0.h #1 compute {"i":0,"v":7}
  > step_completed l.iter_0.h {"output":{"i":0,"v":7}}
  > loop_iter_completed l {"item":7,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":1,"results":[{"i":0,"v":7}]}}
  > workflow_completed {"output":{"l":{"iterations":1,"results":[{"i":0,"v":7}]}}}
  = status completed

# A while loop without max_iter is warned about; its condition alone ends it.
plan
  l: loop .mode=while .condition="iter.index < 3"
    h: noop
  x warning /steps/0/config: without `max_iter` only the condition ends this loop (hint: set a `max_iter`: then the loop ends there, with `truncated`)
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {}
  > step_completed l.iter_0.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {}
  > step_completed l.iter_1.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":1}
  > loop_iter_started l {"iteration":2}
  > step_started l.iter_2.h #1 compute {}
  > step_completed l.iter_2.h {"output":{"ok":true}}
  > loop_iter_completed l {"iteration":2}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[{"ok":true},{"ok":true},{"ok":true}]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[{"ok":true},{"ok":true},{"ok":true}]}}}
  = status completed

# A question in every iteration: several are open at once.
plan
  l: loop .over="[1,2]" .concurrency=2
    d: reasoning .prompt_context="take ${{iter.item}}?"
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_0.d #1 ask
  > decision_requested l.iter_0.d {"id":"<run>_l.iter_0.d","kind":"reasoning","prompt_context":"take 1?"}
  > step_suspended l.iter_0.d
  ! ask l.iter_0.d
  > step_started l.iter_1.d #1 ask
  > decision_requested l.iter_1.d {"id":"<run>_l.iter_1.d","kind":"reasoning","prompt_context":"take 2?"}
  > step_suspended l.iter_1.d
  ! ask l.iter_1.d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision l.iter_1.d {"choice":"b"}
  > signal_received {"payload":{"choice":"b"},"step_id":"l.iter_1.d","type":"decision"}
  > decision_resolved l.iter_1.d {"choice":"b"}
  > step_completed l.iter_1.d {"output":{"choice":"b","data":null,"reasoning":null,"resolved_by":null}}
  ! answered l.iter_1.d
  > workflow_resumed
  > loop_iter_completed l {"item":2,"iteration":1}
  > workflow_suspended {"reason":"decision"}
signal decision l.iter_0.d {"choice":"a"}
  > signal_received {"payload":{"choice":"a"},"step_id":"l.iter_0.d","type":"decision"}
  > decision_resolved l.iter_0.d {"choice":"a"}
  > step_completed l.iter_0.d {"output":{"choice":"a","data":null,"reasoning":null,"resolved_by":null}}
  ! answered l.iter_0.d
  > workflow_resumed
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"choice":"a","data":null,"reasoning":null,"resolved_by":null},{"choice":"b","data":null,"reasoning":null,"resolved_by":null}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"choice":"a","data":null,"reasoning":null,"resolved_by":null},{"choice":"b","data":null,"reasoning":null,"resolved_by":null}]}}}
  = status completed

# The items of a loop are worked out once.
plan
  context = {"n":[1,2]}
  l: loop .over="context.n"
    u: workflow.context {"action":"update","data":{"n":[]}}
start
  > workflow_started
  > step_started l #1 flow {"items":[1,2]}
  > loop_iter_started l {"item":1,"iteration":0}
  > step_started l.iter_0.u #1 compute {"action":"update","data":{"n":[]}}
  > context_updated {"data":{"n":[]}}
  > step_completed l.iter_0.u {"output":{"updated":true,"workflow_id":"<run>"}}
  > loop_iter_completed l {"item":1,"iteration":0}
  > loop_iter_started l {"item":2,"iteration":1}
  > step_started l.iter_1.u #1 compute {"action":"update","data":{"n":[]}}
  > context_updated {"data":{"n":[]}}
  > step_completed l.iter_1.u {"output":{"updated":true,"workflow_id":"<run>"}}
  > loop_iter_completed l {"item":2,"iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"updated":true,"workflow_id":"<run>"},{"updated":true,"workflow_id":"<run>"}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"updated":true,"workflow_id":"<run>"},{"updated":true,"workflow_id":"<run>"}]}}}
  = status completed

# while: from the second time on, the steps of the last iteration are at hand by short id.
plan
  l: loop .mode=while .condition="iter.index == 0 || steps.h.more" .max_iter=9
    h: echo {"more":"${{iter.index < 2}}"}
start
  > workflow_started
  > step_started l #1 flow
  > loop_iter_started l {"iteration":0}
  > step_started l.iter_0.h #1 compute {"more":true}
  > step_completed l.iter_0.h {"output":{"more":true}}
  > loop_iter_completed l {"iteration":0}
  > loop_iter_started l {"iteration":1}
  > step_started l.iter_1.h #1 compute {"more":true}
  > step_completed l.iter_1.h {"output":{"more":true}}
  > loop_iter_completed l {"iteration":1}
  > loop_iter_started l {"iteration":2}
  > step_started l.iter_2.h #1 compute {"more":false}
  > step_completed l.iter_2.h {"output":{"more":false}}
  > loop_iter_completed l {"iteration":2}
  > loop_completed l
  > step_completed l {"output":{"iterations":3,"results":[{"more":true},{"more":true},{"more":false}]}}
  > workflow_completed {"output":{"l":{"iterations":3,"results":[{"more":true},{"more":true},{"more":false}]}}}
  = status completed
