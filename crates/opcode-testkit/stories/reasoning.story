# A reasoning step asks and the run is suspended; the answer is the step's output, and final.
plan
  a: echo {"v":1}
  d: reasoning .prompt_context="ship ${{steps.a.v}}?" .options=[{"id":"yes"},{"id":"no","description":"wait"}] after=a
  b: echo {"c":"${{steps.d.choice}}","also":"${{steps.d.output.reasoning}}","by":"${{steps.d.resolved_by}}"} after=d
start
  > workflow_started
  > step_started a #1 compute {"v":1}
  > step_completed a {"output":{"v":1}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","options":[{"id":"yes"},{"description":"wait","id":"no"}],"prompt_context":"ship 1?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"choice":"yes","data":{"n":1}} as ann because "it is green"
  > signal_received {"agent_id":"ann","payload":{"choice":"yes","data":{"n":1}},"reasoning":"it is green","step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes","data":{"n":1},"reasoning":"it is green","resolved_by":"ann"}
  > step_completed d {"output":{"choice":"yes","data":{"n":1},"reasoning":"it is green","resolved_by":"ann"}}
  ! answered d
  > workflow_resumed
  > step_started b #1 compute {"also":"it is green","by":"ann","c":"yes"}
  > step_completed b {"output":{"also":"it is green","by":"ann","c":"yes"}}
  > workflow_completed {"output":{"b":{"also":"it is green","by":"ann","c":"yes"}}}
  = status completed

# Outputs made before the question are there after it, also across a crash.
plan
  a: shell.exec
  d: reasoning .prompt_context="go?" after=a
  b: http.post {"body":"${{steps.a.stdout}}"} after=d
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes {"stdout":"kept"}
  > step_completed a {"output":{"stdout":"kept"}}
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"go?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
crash and recover
  = outstanding: ask d
signal decision d {"choice":"go"}
  > signal_received {"payload":{"choice":"go"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"go"}
  > step_completed d {"output":{"choice":"go","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  > step_started b #1 perform
  ! perform b #1 http.post {"body":"kept"}
  = status active
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"b":{"ok":true}}}
  = status completed

# Other work goes on while a question is open; the run is suspended only once nothing moves.
plan
  d: reasoning .prompt_context="?"
  a: shell.exec
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a finishes
  > step_completed a {"output":{"ok":true}}
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"a":{"ok":true},"d":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# A decision may be answered while other work goes on; nothing runs twice.
plan
  d: reasoning .prompt_context="?"
  a: shell.exec
  b: shell.exec after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal decision d {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"x"}
  > step_completed d {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > step_started b #1 perform
  ! perform b #1 shell.exec {}
a finishes
  > step_completed a {"output":{"ok":true}}
b finishes
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true},"b":{"ok":true}}}
  = status completed

# A choice that is not among the options is refused; the question stays open.
plan
  d: reasoning .prompt_context="?" .options=["yes","no"]
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","options":[{"id":"yes"},{"id":"no"}],"prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"choice":"maybe"}
  x refused VALIDATION_ERROR choice `maybe` is not among the options yes, no
signal decision d {"choice":""}
  x refused VALIDATION_ERROR a decision needs `payload.choice`, one of yes, no
signal decision d
  x refused VALIDATION_ERROR a decision needs `payload.choice`, one of yes, no
signal decision d {"choice":"no"}
  > signal_received {"payload":{"choice":"no"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"no"}
  > step_completed d {"output":{"choice":"no","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"no","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# Without options any choice is taken, but there must be one.
plan
  d: reasoning .prompt_context="name it"
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"name it"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"data":1}
  x refused VALIDATION_ERROR a decision needs `payload.choice`
signal decision d {"choice":"Bartholomew"}
  > signal_received {"payload":{"choice":"Bartholomew"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"Bartholomew"}
  > step_completed d {"output":{"choice":"Bartholomew","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"Bartholomew","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# A question for one agent is answered by that agent only; saying nothing of oneself is no way around.
plan
  d: reasoning .prompt_context="?" .target_agent=boss
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?","target_agent":"boss"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision d {"choice":"yes"} as eve
  x refused PERMISSION_DENIED this decision is for agent `boss`, the signal is from `eve`
signal decision d {"choice":"yes"}
  x refused PERMISSION_DENIED this decision is for agent `boss`, the signal is from `nobody`
signal decision d {"choice":"yes"} as boss
  > signal_received {"agent_id":"boss","payload":{"choice":"yes"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes","resolved_by":"boss"}
  > step_completed d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":"boss"}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"yes","data":null,"reasoning":null,"resolved_by":"boss"}}}
  = status completed

# The same answer twice is fine; another one is refused, with the choice that stands.
plan
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
signal decision d {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes"}
  > step_completed d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_resumed
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal decision d {"choice":"yes"}
signal decision d {"choice":"no"}
  x refused CONFLICT this decision is resolved already: "yes"

# After the end the same answer is still fine, another is not.
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
signal decision d {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"d","type":"decision"}
  > decision_resolved d {"choice":"yes"}
  > step_completed d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed
signal decision d {"choice":"yes"}
signal decision d {"choice":"no"}
  x refused CONFLICT this workflow is completed and takes no signals

# With one question open, the step need not be named; with several it must.
plan
  d: reasoning .prompt_context="?"
  e: reasoning .prompt_context="?"
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
signal decision {"choice":"x"}
  x refused VALIDATION_ERROR several decisions are open; name one of d, e
signal decision e {"choice":"x"}
  > signal_received {"payload":{"choice":"x"},"step_id":"e","type":"decision"}
  > decision_resolved e {"choice":"x"}
  > step_completed e {"output":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}
  ! answered e
signal decision {"choice":"y"}
  > signal_received {"payload":{"choice":"y"},"type":"decision"}
  > decision_resolved d {"choice":"y"}
  > step_completed d {"output":{"choice":"y","data":null,"reasoning":null,"resolved_by":null}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"y","data":null,"reasoning":null,"resolved_by":null},"e":{"choice":"x","data":null,"reasoning":null,"resolved_by":null}}}
  = status completed

# No question is open.
plan
  a: shell.exec
start
  > workflow_started
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal decision {"choice":"x"}
  x refused CONFLICT no decision is open
signal decision a {"choice":"x"}
  x refused CONFLICT step `a` has no open decision; it is running
signal decision nope {"choice":"x"}
  x refused NOT_FOUND no step `nope`

# Nobody answers in time: the fallback is chosen, by the clock itself.
plan
  d: reasoning .prompt_context="?" .options=["yes","no"] .timeout=1h .fallback=no
  b: echo {"c":"${{steps.d.choice}}"} after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"fallback":"no","id":"<run>_d","kind":"reasoning","options":[{"id":"yes"},{"id":"no"}],"prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +1h
  > decision_resolved d {"choice":"no","reasoning":"timeout_auto_resolved","resolved_by":"system"}
  > step_completed d {"output":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}
  ! answered d
  > workflow_resumed
  > step_started b #1 compute {"c":"no"}
  > step_completed b {"output":{"c":"no"}}
  > workflow_completed {"output":{"b":{"c":"no"}}}
  = status completed

# Nobody answers in time and there is no fallback: the step fails.
plan
  d: reasoning .prompt_context="?" .timeout=1h
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +1h
  > decision_cancelled d {"reason":"nobody answered in time"}
  > step_failed d {"error":"[TIMEOUT_ERROR] decision timeout: no fallback option configured"}
  ! withdraw d
  > workflow_failed {"error":"[STEP_FAILED] step d: [TIMEOUT_ERROR] decision timeout: no fallback option configured"}
  = status failed

# The step's own timeout ends a question even if it has a fallback that would come later.
plan
  d: reasoning .prompt_context="?" .timeout=2h .fallback=no timeout=1h
  x warning /steps/0/config/timeout: reasoning timeout 2h0m0s is longer than the step timeout 1h0m0s (hint: the shorter one comes first) (fix: replace "1h0m0s")
start
  > workflow_started
  > step_started d #1 ask {"deadline":"+1h0m0s"}
  > decision_requested d {"fallback":"no","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+2h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +3h
  > decision_cancelled d {"reason":"the step ran out of time"}
  > step_failed d {"error":"[TIMEOUT_ERROR] step d timed out after 1h0m0s"}
  ! withdraw d
  > workflow_failed {"error":"[STEP_FAILED] step d: [TIMEOUT_ERROR] step d timed out after 1h0m0s"}
  = status failed

# A fallback that comes with the step's timeout wins.
plan
  d: reasoning .prompt_context="?" .timeout=1h .fallback=no timeout=1h
start
  > workflow_started
  > step_started d #1 ask {"deadline":"+1h0m0s"}
  > decision_requested d {"fallback":"no","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +3h
  > decision_resolved d {"choice":"no","reasoning":"timeout_auto_resolved","resolved_by":"system"}
  > step_completed d {"output":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}}
  = status completed

# A question's timeout goes on across a crash.
plan
  d: reasoning .prompt_context="?" .timeout=1h .fallback=no
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"fallback":"no","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
crash and recover
  = outstanding: ask d
clock +1h
  > decision_resolved d {"choice":"no","reasoning":"timeout_auto_resolved","resolved_by":"system"}
  > step_completed d {"output":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}
  ! answered d
  > workflow_completed {"output":{"d":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}}
  = status completed

# An answer after the fallback was chosen is refused.
plan
  d: reasoning .prompt_context="?" .timeout=1h .fallback=no
  a: shell.exec after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"fallback":"no","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
clock +1h
  > decision_resolved d {"choice":"no","reasoning":"timeout_auto_resolved","resolved_by":"system"}
  > step_completed d {"output":{"choice":"no","data":null,"reasoning":"timeout_auto_resolved","resolved_by":"system"}}
  ! answered d
  > workflow_resumed
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
signal decision d {"choice":"yes"}
  x refused CONFLICT this decision is resolved already: "no"

# A question in a branch suspends there; the branch waits for it.
plan
  c: condition .expression="true"
    case true
      d: reasoning .prompt_context="?"
      e: echo {"c":"${{steps.d.choice}}"}
  f: noop after=c
start
  > workflow_started
  > step_started c #1 flow
  > condition_evaluated c {"branch":"true","expression":"true","result":"true","slot":0}
  > step_started c.true.d #1 ask
  > decision_requested c.true.d {"id":"<run>_c.true.d","kind":"reasoning","prompt_context":"?"}
  > step_suspended c.true.d
  ! ask c.true.d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision c.true.d {"choice":"yes"}
  > signal_received {"payload":{"choice":"yes"},"step_id":"c.true.d","type":"decision"}
  > decision_resolved c.true.d {"choice":"yes"}
  > step_completed c.true.d {"output":{"choice":"yes","data":null,"reasoning":null,"resolved_by":null}}
  ! answered c.true.d
  > workflow_resumed
  > step_started c.true.e #1 compute {"c":"yes"}
  > step_completed c.true.e {"output":{"c":"yes"}}
  > step_completed c {"output":{"branch":"true","output":{"c":"yes"}}}
  > step_started f #1 compute {}
  > step_completed f {"output":{"ok":true}}
  > workflow_completed {"output":{"f":{"ok":true}}}
  = status completed

# A question in a loop suspends each iteration in turn.
plan
  l: loop .over="['a','b']"
    d: reasoning .prompt_context="${{iter.item}}?" .data_inject={"i":"iter.index"}
start
  > workflow_started
  > step_started l #1 flow {"items":["a","b"]}
  > loop_iter_started l {"item":"a","iteration":0}
  > step_started l.iter_0.d #1 ask
  > decision_requested l.iter_0.d {"data_inject":{"i":0},"id":"<run>_l.iter_0.d","kind":"reasoning","prompt_context":"a?"}
  > step_suspended l.iter_0.d
  ! ask l.iter_0.d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal decision l.iter_0.d {"choice":"1"}
  > signal_received {"payload":{"choice":"1"},"step_id":"l.iter_0.d","type":"decision"}
  > decision_resolved l.iter_0.d {"choice":"1"}
  > step_completed l.iter_0.d {"output":{"choice":"1","data":null,"reasoning":null,"resolved_by":null}}
  ! answered l.iter_0.d
  > workflow_resumed
  > loop_iter_completed l {"item":"a","iteration":0}
  > loop_iter_started l {"item":"b","iteration":1}
  > step_started l.iter_1.d #1 ask
  > decision_requested l.iter_1.d {"data_inject":{"i":1},"id":"<run>_l.iter_1.d","kind":"reasoning","prompt_context":"b?"}
  > step_suspended l.iter_1.d
  ! ask l.iter_1.d
  > workflow_suspended {"reason":"decision"}
signal decision l.iter_1.d {"choice":"2"}
  > signal_received {"payload":{"choice":"2"},"step_id":"l.iter_1.d","type":"decision"}
  > decision_resolved l.iter_1.d {"choice":"2"}
  > step_completed l.iter_1.d {"output":{"choice":"2","data":null,"reasoning":null,"resolved_by":null}}
  ! answered l.iter_1.d
  > workflow_resumed
  > loop_iter_completed l {"item":"b","iteration":1}
  > loop_completed l
  > step_completed l {"output":{"iterations":2,"results":[{"choice":"1","data":null,"reasoning":null,"resolved_by":null},{"choice":"2","data":null,"reasoning":null,"resolved_by":null}]}}
  > workflow_completed {"output":{"l":{"iterations":2,"results":[{"choice":"1","data":null,"reasoning":null,"resolved_by":null},{"choice":"2","data":null,"reasoning":null,"resolved_by":null}]}}}
  = status completed

# Facts beside a question: templates, bare paths, plain text and typos, each as it should be.
plan
  a: echo {"n":200,"o":{"k":[1]}}
  d: reasoning .prompt_context="?" .data_inject={"t":"${{steps.a.n}}","bare":"steps.a.o","text":"steps are fun","typo":"steps.a.nope","in":"inputs.url","mix":"n=${{steps.a.n}}"} after=a
start {"url":"u"}
  > workflow_started {"inputs":{"url":"u"}}
  > step_started a #1 compute {"n":200,"o":{"k":[1]}}
  > step_completed a {"output":{"n":200,"o":{"k":[1]}}}
  > step_started d #1 ask
  > decision_requested d {"data_inject":{"bare":{"k":[1]},"in":"u","mix":"n=200","t":200,"text":"steps are fun","typo":"steps.a.nope"},"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended

# A prompt that cannot be filled in fails the step.
plan
  d: reasoning .prompt_context="${{steps.a.v}}?"
  a: noop if="false"
  x warning /steps/0/config/prompt_context: step `d` reads `steps.a`, but `d` does not wait for it (hint: add `a` to the `depends_on` of `d`) (fix: add /steps/0/depends_on ["a"])
start
  > workflow_started
  > step_started d #1 ask
  > step_failed d {"error":"[INTERPOLATION_ERROR] could not fill in ${{ steps.a.v }}: step `a` has no output yet (it is scheduled)"}
  > workflow_ending {"error":"[STEP_FAILED] step d: [INTERPOLATION_ERROR] could not fill in ${{ steps.a.v }}: step `a` has no output yet (it is scheduled)","status":"failed"}
  > step_skipped a {"reason":"sibling_failed"}
  > workflow_failed {"error":"[STEP_FAILED] step d: [INTERPOLATION_ERROR] could not fill in ${{ steps.a.v }}: step `a` has no output yet (it is scheduled)"}
  = status failed

# A question with a timeout counts as suspended, and its timer is kept.
plan
  d: reasoning .prompt_context="?" .timeout=1h .fallback=x
  w: wait .signal=go
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"fallback":"x","id":"<run>_d","kind":"reasoning","prompt_context":"?","timeout_at":"+1h0m0s"}
  > step_suspended d
  ! ask d
  > step_started w #1 wait
  > wait_started w {"duration":"","signal":"go"}
  > workflow_suspended {"reason":"decision"}
  = status suspended
  = timer +1h0m0s
signal data named go {"n":1}
  > signal_received {"name":"go","payload":{"n":1},"type":"data"}
  > wait_completed w
  > step_completed w {"output":{"payload":{"n":1},"signal":"go"}}

# A question beside a timed wait: the run is active until the wait is over.
plan
  d: reasoning .prompt_context="?"
  w: wait .duration=1h
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started w #1 wait
  > wait_started w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  = status active
  = timer +1h0m0s
clock +1h
  > wait_completed w
  > step_completed w {"output":{"waited":3600000}}
  > workflow_suspended {"reason":"decision"}
  = status suspended

# Cancelling one question skips its step; the run goes on.
plan
  d: reasoning .prompt_context="?"
  a: noop after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal cancel d because "not needed"
  > signal_received {"reasoning":"not needed","step_id":"d","type":"cancel"}
  > decision_cancelled d {"reason":"cancelled by a signal"}
  > step_skipped d {"detail":"not needed","reason":"signal"}
  ! withdraw d
  > workflow_resumed
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# Skipping one question does the same.
plan
  d: reasoning .prompt_context="?"
  a: noop after=d
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > workflow_suspended {"reason":"decision"}
  = status suspended
signal skip d
  > signal_received {"step_id":"d","type":"skip"}
  > decision_cancelled d {"reason":"skipped by a signal"}
  > step_skipped d {"reason":"signal"}
  ! withdraw d
  > workflow_resumed
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# A run that fails withdraws its questions.
plan
  d: reasoning .prompt_context="?"
  a: shell.exec
start
  > workflow_started
  > step_started d #1 ask
  > decision_requested d {"id":"<run>_d","kind":"reasoning","prompt_context":"?"}
  > step_suspended d
  ! ask d
  > step_started a #1 perform
  ! perform a #1 shell.exec {}
  = status active
a fails VALIDATION_ERROR "no"
  > step_failed a {"error":"[VALIDATION_ERROR] no"}
  > workflow_ending {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no","status":"failed"}
  > decision_cancelled d {"reason":"no longer needed"}
  > step_skipped d {"reason":"sibling_failed"}
  ! withdraw d
  > workflow_failed {"error":"[NON_RETRYABLE] step a: non-retryable error: [VALIDATION_ERROR] no"}
  = status failed
