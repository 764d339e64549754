# Inputs given are laid over `inputs`, and those over the schema's defaults.
plan
  inputs = {"a":1,"b":1}
  input_schema = {"type":"object","properties":{"a":{"default":0},"c":{"default":9},"d":{"type":"string"}}}
  x: echo {"a":"${{inputs.a}}","b":"${{inputs.b}}","c":"${{inputs.c}}"}
start {"b":2,"d":"x"}
  > workflow_started {"inputs":{"a":1,"b":2,"c":9,"d":"x"}}
  > step_started x #1 compute {"a":1,"b":2,"c":9}
  > step_completed x {"output":{"a":1,"b":2,"c":9}}
  > workflow_completed {"output":{"x":{"a":1,"b":2,"c":9}}}
  = status completed

# Inputs that do not fit the schema: the run is refused, and nothing is left behind.
plan
  input_schema = {"type":"object","required":["url"],"properties":{"n":{"type":"integer","minimum":1}}}
  x: noop
start {"n":0}
  x refused VALIDATION_ERROR inputs do not fit the input schema: /: "url" is a required property; /n: 0 is less than the minimum of 1
start {"n":1,"url":"u"}
  > workflow_started {"inputs":{"n":1,"url":"u"}}
  > step_started x #1 compute {}
  > step_completed x {"output":{"ok":true}}
  > workflow_completed {"output":{"x":{"ok":true}}}
  = status completed

# Inputs must be an object.
plan
  x: noop
start [1]
  x refused VALIDATION_ERROR inputs must be an object, not list

# Inputs deeper than the house allows are refused, with the number.
plan
  x: noop
start {"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}
  x refused LIMIT_EXCEEDED nesting of inputs is limited to 64

# `output` makes the workflow's output.
plan
  a: echo {"n":2}
  b: noop after=a
  output = {"n":"${{steps.a.n}}","text":"n=${{steps.a.n}}","in":"${{inputs.x}}"}
start {"x":[1]}
  > workflow_started {"inputs":{"x":[1]}}
  > step_started a #1 compute {"n":2}
  > step_completed a {"output":{"n":2}}
  > step_started b #1 compute {}
  > step_completed b {"output":{"ok":true}}
  > workflow_completed {"output":{"in":[1],"n":2,"text":"n=2"}}
  = status completed

# An output that cannot be made fails the run.
plan
  a: noop if="false"
  output = {"n":"${{steps.a.n}}"}
start
  > workflow_started
  > step_skipped a {"reason":"guard"}
  > workflow_failed {"error":"[INTERPOLATION_ERROR] could not fill in ${{ steps.a.n }} at /n: step `a` was skipped and has no output"}
  = status failed

# An output that does not fit its schema fails the run.
plan
  output_schema = {"type":"object","properties":{"n":{"type":"string"}}}
  a: noop
  output = {"n":1}
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_failed {"error":"[VALIDATION_ERROR] the output does not fit the output schema: /n: 1 is not of type \"string\""}
  = status failed

# An output that fits.
plan
  output_schema = {"type":"object","required":["a"]}
  a: noop
start
  > workflow_started
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# `context` is what a run begins with; steps read it.
plan
  context = {"k":"v"}
  a: echo {"k":"${{context.k}}"}
start
  > workflow_started
  > step_started a #1 compute {"k":"v"}
  > step_completed a {"output":{"k":"v"}}
  > workflow_completed {"output":{"a":{"k":"v"}}}
  = status completed

# workflow.context reads and updates the run's own context.
plan
  context = {"k":"v"}
  up: workflow.context {"action":"update","data":{"n":1},"agent_notes":"hello"}
  down: workflow.context {"action":"read"} after=up
  see: echo {"n":"${{context.n}}","k":"${{context.k}}"} after=down
start agent=ann
  > workflow_started {"agent_id":"ann"}
  > step_started up #1 compute {"action":"update","agent_notes":"hello","data":{"n":1}}
  > context_updated {"agent_notes":"hello","data":{"n":1}}
  > step_completed up {"output":{"updated":true,"workflow_id":"<run>"}}
  > step_started down #1 compute {"action":"read"}
  > step_completed down {"output":{"accumulated_data":{"k":"v","n":1},"agent_id":"ann","agent_notes":"hello","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z","workflow_id":"<run>"}}
  > step_started see #1 compute {"k":"v","n":1}
  > step_completed see {"output":{"k":"v","n":1}}
  > workflow_completed {"output":{"see":{"k":"v","n":1}}}
  = status completed
show context
  = {"k":"v","n":1}

# An update lays its keys over the old ones, and keeps the rest.
plan
  context = {"a":1,"b":1}
  up: workflow.context {"action":"update","data":{"b":2}}
start
  > workflow_started
  > step_started up #1 compute {"action":"update","data":{"b":2}}
  > context_updated {"data":{"b":2}}
  > step_completed up {"output":{"updated":true,"workflow_id":"<run>"}}
  > workflow_completed {"output":{"up":{"updated":true,"workflow_id":"<run>"}}}
  = status completed
show context
  = {"a":1,"b":2}

# A run may use only its own context.
plan
  up: workflow.context {"action":"update","workflow_id":"11111111-1111-8111-8111-111111111111","data":{"n":1}}
start
  > workflow_started
  > step_started up #1 compute {"action":"update","data":{"n":1},"workflow_id":"11111111-1111-8111-8111-111111111111"}
  > step_failed up {"error":"[PERMISSION_DENIED] workflow.context: a workflow may use only its own context"}
  > workflow_failed {"error":"[NON_RETRYABLE] step up: non-retryable error: [PERMISSION_DENIED] workflow.context: a workflow may use only its own context"}
  = status failed

# The context is there after a crash.
plan
  up: workflow.context {"action":"update","data":{"n":1}}
  w: wait .duration=1h after=up
  see: echo {"n":"${{context.n}}"} after=w
start
  > workflow_started
  > step_started up #1 compute {"action":"update","data":{"n":1}}
  > context_updated {"data":{"n":1}}
  > step_completed up {"output":{"updated":true,"workflow_id":"<run>"}}
  > step_started w #1 wait
  > wait_started w {"duration":"1h0m0s","signal":"","until":"+1h0m0s"}
  = status active
  = timer +1h0m0s
crash and recover
  = outstanding: nothing
clock +1h
  > wait_completed w
  > step_completed w {"output":{"waited":3600000}}
  > step_started see #1 compute {"n":1}
  > step_completed see {"output":{"n":1}}
  > workflow_completed {"output":{"see":{"n":1}}}
  = status completed

# workflow.* roots: the run's id, name, template, version and agent.
plan
  a: echo {"id":"${{workflow.run_id}}","name":"${{workflow.name}}","t":"${{workflow.template_name}}","v":"${{workflow.template_version}}","agent":"${{workflow.agent_id}}"}
start agent=ann name=Nightly template=t version=v3
  > workflow_started {"agent_id":"ann","name":"Nightly","template_name":"t","template_version":"v3"}
  > step_started a #1 compute {"agent":"ann","id":"<run>","name":"Nightly","t":"t","v":"v3"}
  > step_completed a {"output":{"agent":"ann","id":"<run>","name":"Nightly","t":"t","v":"v3"}}
  > workflow_completed {"output":{"a":{"agent":"ann","id":"<run>","name":"Nightly","t":"t","v":"v3"}}}
  = status completed

# Without a name the title is metadata.name, then the template's name.
plan
  metadata = {"name":"From metadata"}
  a: noop
start template=t
  > workflow_started {"name":"From metadata","template_name":"t"}
  > step_started a #1 compute {}
  > step_completed a {"output":{"ok":true}}
  > workflow_completed {"output":{"a":{"ok":true}}}
  = status completed

# workflow.log, emit and notify are events, made in the transaction that completes their step.
plan
  l: workflow.log {"message":"hi","level":"warn","data":{"n":1}}
  e: workflow.emit {"event_type":"done","payload":{"n":1}}
  n: workflow.notify {"message":"look","data":{"n":1}}
start agent=ann
  > workflow_started {"agent_id":"ann"}
  > step_started l #1 compute {"data":{"n":1},"level":"warn","message":"hi"}
  > message_logged l {"data":{"n":1},"level":"warn","message":"hi"}
  > step_completed l {"output":{"logged":true}}
  > step_started e #1 compute {"event_type":"done","payload":{"n":1}}
  > event_emitted e {"event_type":"done","payload":{"n":1}}
  > step_completed e {"output":{"emitted":true}}
  > step_started n #1 compute {"data":{"n":1},"message":"look"}
  > agent_notified n {"data":{"n":1},"message":"look"}
  > step_completed n {"output":{"notified":true}}
  > workflow_completed {"output":{"e":{"emitted":true},"l":{"logged":true},"n":{"notified":true}}}
  = status completed

# workflow.notify without an agent says that nobody was told.
plan
  n: workflow.notify {"message":"look"}
start
  > workflow_started
  > step_started n #1 compute {"message":"look"}
  > agent_notified n {"message":"look"}
  > step_completed n {"output":{"notified":false,"reason":"no_agent"}}
  > workflow_completed {"output":{"n":{"notified":false,"reason":"no_agent"}}}
  = status completed

# A large integer keeps all its digits.
plan
  a: echo {"id":1234567890123,"t":"id=${{inputs.id}}"}
start {"id":9007199254740993}
  > workflow_started {"inputs":{"id":9007199254740993}}
  > step_started a #1 compute {"id":1234567890123,"t":"id=9007199254740993"}
  > step_completed a {"output":{"id":1234567890123,"t":"id=9007199254740993"}}
  > workflow_completed {"output":{"a":{"id":1234567890123,"t":"id=9007199254740993"}}}
  = status completed

# $${{ is a literal.
plan
  a: echo {"t":"$${{ inputs.x }}"}
start {"x":1}
  > workflow_started {"inputs":{"x":1}}
  > step_started a #1 compute {"t":"${{ inputs.x }}"}
  > step_completed a {"output":{"t":"${{ inputs.x }}"}}
  > workflow_completed {"output":{"a":{"t":"${{ inputs.x }}"}}}
  = status completed

# The status and error of a step are at hand, its output's own fields first.
plan
  a: echo {"status":"mine"}
  b: echo {"own":"${{steps.a.status}}","step":"${{step_status['a']}}","whole":"${{steps.a.output}}"} after=a
start
  > workflow_started
  > step_started a #1 compute {"status":"mine"}
  > step_completed a {"output":{"status":"mine"}}
  > step_started b #1 compute {"own":"mine","step":"completed","whole":{"status":"mine"}}
  > step_completed b {"output":{"own":"mine","step":"completed","whole":{"status":"mine"}}}
  > workflow_completed {"output":{"b":{"own":"mine","step":"completed","whole":{"status":"mine"}}}}
  = status completed

# A hyphenated id is a plain path; in an expression it stands in brackets.
plan
  my-step: echo {"n":1}
  b: echo {"n":"${{steps.my-step.n}}","m":"${{steps['my-step'].n + 1}}"} after=my-step
start
  > workflow_started
  > step_started my-step #1 compute {"n":1}
  > step_completed my-step {"output":{"n":1}}
  > step_started b #1 compute {"m":2,"n":1}
  > step_completed b {"output":{"m":2,"n":1}}
  > workflow_completed {"output":{"b":{"m":2,"n":1}}}
  = status completed

# Array items by index.
plan
  a: echo {"l":[{"k":"x"},{"k":"y"}]}
  b: echo {"k":"${{steps.a.l[1].k}}"} after=a
start
  > workflow_started
  > step_started a #1 compute {"l":[{"k":"x"},{"k":"y"}]}
  > step_completed a {"output":{"l":[{"k":"x"},{"k":"y"}]}}
  > step_started b #1 compute {"k":"y"}
  > step_completed b {"output":{"k":"y"}}
  > workflow_completed {"output":{"b":{"k":"y"}}}
  = status completed
