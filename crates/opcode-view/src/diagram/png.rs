//! A diagram as a picture of pixels: the picture of lines, drawn with our own font.
//!
//! Keeps: no font and no file of the machine is looked at; a picture that would need too much memory is made smaller, and
//! refused where nobody could read it.
//! Not here: what is in it (`svg.rs`).

use std::sync::Arc;

use opcode_model::limits::DIAGRAM_PIXELS_MAX;
use opcode_model::{ErrorCode, Failure};
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};

use super::text::width;
use super::{Diagram, svg};

/// DejaVu Sans Mono: Latin, Greek, Cyrillic and some signs. Its licence stands beside it.
const FONTS: [&[u8]; 2] = [
    include_bytes!("../../fonts/DejaVuSansMono.ttf"),
    include_bytes!("../../fonts/DejaVuSansMono-Bold.ttf"),
];
const FAMILY: &str = "DejaVu Sans Mono";
/// Pixels for one of the picture's own, so that it is sharp on any screen.
const SCALE: f64 = 2.0;
/// Longer sides than this are more than programs that show pictures take.
const SIDE_MAX: f64 = 60_000.0;
/// A picture with more pixels is written quickly rather than small.
const SMALL_PIXELS_MAX: usize = 8_000_000;
/// Smaller than this, nobody can read it.
const SCALE_MIN: f64 = 0.5;

pub(super) fn write(diagram: &Diagram) -> Result<Vec<u8>, Failure> {
    let drawn = svg::picture(diagram)?;
    let fits = (DIAGRAM_PIXELS_MAX as f64 / (drawn.width * drawn.height)).sqrt();
    let scale = SCALE.min(fits).min(SIDE_MAX / drawn.width.max(drawn.height));
    if scale < SCALE_MIN {
        let limit = Failure::limit("pixels of a PNG", DIAGRAM_PIXELS_MAX);
        let message = format!("{}; take SVG, which has none", limit.message);
        return Err(Failure { message: message.into(), ..limit });
    }
    let mut options = usvg::Options { font_family: FAMILY.to_owned(), ..Default::default() };
    let fonts = Arc::make_mut(&mut options.fontdb);
    for font in FONTS {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_monospace_family(FAMILY);
    let tree = Tree::from_str(&lettered(&drawn.text), &options).map_err(|cause| defect(&cause))?;
    let pixels = |length: f64| (length * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(pixels(drawn.width), pixels(drawn.height))
        .ok_or_else(|| defect(&"it has no size"))?;
    let transform = Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    encode(&pixmap).map_err(|cause| defect(&cause))
}

/// The same with a box for each letter that our font does not have; it would be left out without a trace.
fn lettered(text: &str) -> String {
    let has = |c: char| {
        matches!(
            u32::from(c),
            0..=0x7E
                | 0xA0..=0x17F
                | 0x218..=0x21B
                | 0x370..=0x3FF
                | 0x400..=0x45F
                | 0x490..=0x491
                | 0x2010..=0x2015
                | 0x2018..=0x2022
                | 0x2026
                | 0x20AC
                | 0x2190..=0x2195
                | 0x2260
                | 0x2264..=0x2265
        )
    };
    let shown = |c: char| if has(c) { Some(c) } else { (width(c) > 0).then_some('□') };
    text.chars().filter_map(shown).collect()
}

/// Small, unless the picture is so large that this would take long; without transparency, for there is none.
fn encode(pixmap: &Pixmap) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    if pixmap.pixels().len() <= SMALL_PIXELS_MAX {
        encoder.set_compression(Compression::Balanced);
        // Large areas of one colour are smallest as they are.
        encoder.set_filter(Filter::NoFilter);
    } else {
        encoder.set_compression(Compression::Fast);
    }
    let pixels: Vec<u8> = pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn defect(cause: &dyn std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::Internal, format!("could not draw the picture: {cause}"))
}
