import CQREncode

/// A QR code (ISO/IEC 18004) as an SVG of exact squares, with the quiet zone of four modules that scanners need.
struct QRCodeImage {
    private static let quietZone = 4

    let svg: String

    /// Nil when the text is too long for any QR code: beyond 2,953 bytes. Beyond 2,331 it is one that less of may be covered.
    init?(_ text: String) {
        guard
            let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) ?? QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L)
        else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let modules = code.pointee.data else { return nil }
        var path = ""
        for y in 0..<width {
            var x = 0
            while x < width {
                let start = x
                // Bit 0 is the colour (qrencode.h); `data` has width * width bytes, freed by QRcode_free above.
                while x < width, modules[y * width + x] & 1 == 1 { x += 1 }
                if x > start {
                    path += "M\(start + Self.quietZone) \(y + Self.quietZone)h\(x - start)v1h-\(x - start)z"
                } else {
                    x += 1
                }
            }
        }
        let side = width + 2 * Self.quietZone
        svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <path fill="#fff" d="M0 0h\(side)v\(side)H0z"/><path d="\(path)"/></svg>
            """
    }
}
