//! Every limit of the house, in one place, with its unit in its name.
//!
//! Keeps: hitting one is `LIMIT_EXCEEDED` with the limit's name and number; they are checked against each other below.
//! Not here: time limits that authors set (`timeout`), settings of a server.

/// Bytes of a definition's JSON text.
pub const DEFINITION_BYTES_MAX: usize = 1 << 20;
/// Bytes of one file or text that is handed in.
pub const TEXT_BYTES_MAX: usize = 64 << 20;
/// Bytes of an exported workflow with all below it.
pub const EXPORT_BYTES_MAX: usize = 256 << 20;
/// Lists and objects inside each other in JSON that is handed in.
pub const JSON_DEPTH_MAX: usize = 127;
/// Steps written in one definition, nested ones included.
pub const DEFINITION_STEPS_MAX: usize = 10_000;
/// How deep bodies may stand inside bodies.
pub const NESTING_DEPTH_MAX: usize = 16;
/// Branches of one parallel or condition step.
pub const FAN_OUT_MAX: usize = 1_000;
/// Iterations of one loop, whatever `max_iter` says.
pub const LOOP_ITERATIONS_MAX: u32 = 100_000;
/// Iterations of one loop in flight at once.
pub const LOOP_CONCURRENCY_MAX: u32 = 1_000;
/// Retries of one step.
pub const RETRIES_MAX: u32 = 1_000;
/// Steps one run may come to, iterations included.
pub const RUN_STEPS_MAX: usize = 200_000;
/// Events one run may record.
pub const RUN_EVENTS_MAX: u64 = 1_000_000;
/// Decisions one run may have open at once.
pub const OPEN_DECISIONS_MAX: usize = 1_000;
/// Early signals one run keeps for waits that have not come yet.
pub const MAILBOX_SIGNALS_MAX: usize = 1_000;
/// Workflows inside workflows.
pub const CHILD_DEPTH_MAX: u32 = 32;
/// Bytes of one run's inputs, or of one signal's payload.
pub const INPUT_BYTES_MAX: usize = 4 << 20;
/// Bytes of one step's output.
pub const OUTPUT_BYTES_MAX: usize = 32 << 20;
/// Bytes of one workflow's output, which may gather the outputs of many steps.
pub const WORKFLOW_OUTPUT_BYTES_MAX: usize = 64 << 20;
/// Bytes of one stream or body an action keeps; the rest is cut and said so.
pub const CAPTURE_BYTES_MAX: usize = 10 << 20;
/// Bytes of one file an action reads; the rest is cut and said so.
pub const FILE_BYTES_MAX: usize = 10 << 20;
/// Nesting of a value an outsider sends, or an action answers.
pub const VALUE_DEPTH_MAX: usize = 64;
/// Nesting of a value the engine builds around those.
pub const BUILT_DEPTH_MAX: usize = 112;
/// Characters of a step id as written.
pub const ID_CHARS_MAX: usize = 128;
/// Bytes of one expression's source.
pub const EXPRESSION_BYTES_MAX: usize = 8 << 10;
/// Nesting of one expression's syntax.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Nodes of one expression's syntax.
pub const EXPRESSION_NODES_MAX: usize = 4_000;
/// Steps one evaluation may take.
pub const EVALUATION_STEPS_MAX: u64 = 1_000_000;
/// Calls within calls of one evaluation.
pub const EVALUATION_DEPTH_MAX: usize = 128;
/// Bytes one evaluation may allocate.
pub const EVALUATION_BYTES_MAX: u64 = 64 << 20;
/// Events that may gather before a commit is forced.
pub const FLUSH_EVENTS_MAX: usize = 1_000;
/// Bytes that may gather before a commit is forced.
pub const FLUSH_BYTES_MAX: usize = 1 << 20;
/// Milliseconds a turn may run before it commits and looks at the inbox.
pub const FLUSH_MS_MAX: i64 = 50;
/// Steps of evaluation a run may spend before another run has its turn; the evaluation that goes beyond is finished.
pub const TURN_WORK_MAX: u64 = 200_000;
/// Bytes above which a payload is stored once, compressed, outside its row.
pub const PAYLOAD_INLINE_BYTES_MAX: usize = 64 << 10;
/// Runs that may wait for the driver's attention before it refuses more.
pub const QUEUE_RUNS_MAX: usize = 100_000;
/// Inputs that may wait for one run.
pub const QUEUE_INPUTS_MAX: usize = 10_000;
/// Bytes the write-ahead log may reach before writers wait for a checkpoint.
pub const WAL_BYTES_MAX: u64 = 64 << 20;
/// Steps a picture of a workflow shows; its texts show all.
pub const DIAGRAM_STEPS_MAX: usize = 2_000;
/// Lines from row to row that a picture of a workflow shows.
pub const DIAGRAM_LINES_MAX: usize = 50_000;
/// Pixels of a PNG; a larger picture is made smaller, down to where it can still be read.
pub const DIAGRAM_PIXELS_MAX: usize = 12_000_000;

const _: () = {
    assert!(VALUE_DEPTH_MAX + 3 * NESTING_DEPTH_MAX <= BUILT_DEPTH_MAX);
    assert!(BUILT_DEPTH_MAX + 8 < 128, "what the engine builds must fit JSON's nesting guard");
    assert!(INPUT_BYTES_MAX <= OUTPUT_BYTES_MAX);
    assert!(
        3 * CAPTURE_BYTES_MAX < OUTPUT_BYTES_MAX,
        "stdout twice and stderr fit a step's output"
    );
    assert!(
        FILE_BYTES_MAX / 3 * 4 < OUTPUT_BYTES_MAX,
        "a file fits a step's output also as base64"
    );
    assert!(OUTPUT_BYTES_MAX <= WORKFLOW_OUTPUT_BYTES_MAX);
    assert!(WORKFLOW_OUTPUT_BYTES_MAX as u64 <= EVALUATION_BYTES_MAX);
    assert!(DEFINITION_BYTES_MAX <= INPUT_BYTES_MAX);
    assert!(EXPRESSION_DEPTH_MAX <= EVALUATION_DEPTH_MAX);
    assert!(DEFINITION_STEPS_MAX <= RUN_STEPS_MAX);
    assert!(LOOP_CONCURRENCY_MAX <= LOOP_ITERATIONS_MAX);
    assert!(EXPRESSION_BYTES_MAX <= DEFINITION_BYTES_MAX);
};
