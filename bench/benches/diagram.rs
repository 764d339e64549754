//! Diagrams of many steps: from the plan to the text of each format.

use std::hint::black_box;

use bench::{Noop, chain, parallel, woven};
use criterion::{Criterion, criterion_group, criterion_main};
use opcode_engine::plan;
use opcode_model::Value;
use opcode_view::{Diagram, Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn measure(c: &mut Criterion, name: &str, definition: &Value, format: Format) {
    let plan = plan(definition, &Noop::default()).unwrap_or_else(|all| panic!("{all:?}"));
    c.bench_function(name, |b| {
        b.iter(|| {
            let drawn = Diagram::of_plan(black_box(&plan), None).draw(format);
            assert!(drawn.is_ok());
        });
    });
}

fn diagram(c: &mut Criterion) {
    for format in [Format::Ascii, Format::Mermaid, Format::Svg, Format::Png] {
        let name = format!("{format:?}").to_lowercase();
        measure(c, &format!("diagram/woven/500/{name}"), &woven(500, "noop"), format);
    }
    measure(c, "diagram/woven/20/png", &woven(20, "noop"), Format::Png);
    measure(c, "diagram/chain/500/svg", &chain(500, "noop"), Format::Svg);
    measure(c, "diagram/parallel/500/svg", &parallel(500, "noop"), Format::Svg);
    measure(c, "diagram/woven/2000/svg", &woven(2_000, "noop"), Format::Svg);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = diagram
}
criterion_main!(benches);
