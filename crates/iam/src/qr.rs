//! A text as a QR code, drawn as PNG. Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_VirtualMFADevice.html>.

use fast_qr::qr::QRBuilder;
use png::{BitDepth, ColorType, Encoder};

/// A text that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    /// It is too long for a code.
    #[error("a QR code cannot hold this text")]
    TooLong,
    /// It cannot be written as PNG.
    #[error("a QR code cannot be written")]
    Png(#[from] png::EncodingError),
}

/// Pixels along the side of one module, and modules of white around all of them: as many as ISO/IEC 18004 asks.
const SCALE: usize = 4;
const MARGIN: usize = 4;
const WHITE: u8 = 255;

/// Draws `text`.
pub(crate) fn png(text: &str) -> Result<Vec<u8>, NotDrawn> {
    let code = QRBuilder::new(text).ecl(fast_qr::ECL::M).build().map_err(|_| NotDrawn::TooLong)?;
    let side = (code.size + 2 * MARGIN) * SCALE;
    let dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|at| *at < code.size);
        module(x).zip(module(y)).and_then(|(x, y)| code.data.get(y * code.size + x)).is_some_and(|module| module.value())
    };
    let pixels: Vec<u8> = (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).map(|(x, y)| if dark(x, y) { 0 } else { WHITE }).collect();
    let pixels_a_side = u32::try_from(side).map_err(|_| NotDrawn::TooLong)?;
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, pixels_a_side, pixels_a_side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_picture_with_a_white_margin_and_a_dark_corner() {
        let file = png("otpauth://totp/alice@example?secret=ABCDEFGH").unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.width % 4), (info.height, 0));
        let at = |x: usize, y: usize| pixels[y * info.width as usize + x];
        assert_eq!(
            (at(0, 0), at(15, 15), at(16, 16), at(20, 20)),
            (WHITE, WHITE, 0, WHITE),
            "the ring of the finder begins after the margin"
        );
    }

    #[test]
    fn a_text_that_is_too_long_is_told() {
        assert!(matches!(png(&"x".repeat(3_000)), Err(NotDrawn::TooLong)));
    }
}
