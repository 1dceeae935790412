import CGD
import CZBar
import Foundation

/// Reads QR codes from an image: PNG, JPEG, GIF or WebP.
enum QRImage {
    /// More is no photo of a screen but an attempt to fill the memory.
    private static let fileBytesMax = 20 * 1024 * 1024
    private static let pixelsMax = 64 * 1024 * 1024

    /// The texts of all QR codes in the image. Throws for a file that is no image.
    static func texts(inFile path: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { throw PhoneFailure(66, "\(path): no such file") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PhoneFailure(66, "\(path) cannot be read")
        }
        guard data.count <= fileBytesMax, let picture = Picture(data) else {
            throw PhoneFailure(65, "\(path) is not a PNG, JPEG, GIF or WebP image of a usable size")
        }
        guard let scanner = QRScanner() else { throw PhoneFailure(70, "the QR reader cannot be started") }
        return scanner.scan(picture.grey, width: picture.width, height: picture.height)
    }

    /// A decoded image; owns libgd's memory.
    private final class Picture {
        private let image: gdImagePtr
        let width: Int
        let height: Int

        init?(_ data: Data) {
            guard let decode = Self.decoder(for: data) else { return nil }
            var bytes = Array(data)
            // libgd reads the bytes during the call only and does not change them; its signature lacks the const.
            let decoded = bytes.withUnsafeMutableBytes { decode(Int32($0.count), $0.baseAddress) }
            guard let decoded else { return nil }
            image = decoded
            width = Int(decoded.pointee.sx)
            height = Int(decoded.pointee.sy)
            if width < 1 || height < 1 || width * height > pixelsMax {
                gdImageDestroy(decoded)
                return nil
            }
        }

        deinit { gdImageDestroy(image) }

        private static func decoder(for data: Data) -> ((Int32, UnsafeMutableRawPointer?) -> gdImagePtr?)? {
            let head = Array(data.prefix(12))
            if head.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return gdImageCreateFromPngPtr }
            if head.starts(with: [0xFF, 0xD8, 0xFF]) { return gdImageCreateFromJpegPtr }
            if head.starts(with: Array("GIF8".utf8)) { return gdImageCreateFromGifPtr }
            if head.starts(with: Array("RIFF".utf8)), head.dropFirst(8).elementsEqual("WEBP".utf8) {
                return gdImageCreateFromWebpPtr
            }
            return nil
        }

        /// Brightness, a byte a pixel, row by row, on white paper.
        var grey: [UInt8] {
            var result: [UInt8] = []
            result.reserveCapacity(width * height)
            for y in 0..<Int32(height) {
                for x in 0..<Int32(width) {
                    let pixel = Int(gdImageGetTrueColorPixel(image, x, y))
                    let (red, green, blue) = (pixel >> 16 & 0xFF, pixel >> 8 & 0xFF, pixel & 0xFF)
                    let brightness = (red * 299 + green * 587 + blue * 114) / 1000
                    // libgd's alpha goes from 0, opaque, to 127, transparent.
                    let alpha = pixel >> 24 & 0x7F
                    result.append(UInt8((brightness * (127 - alpha) + 255 * alpha) / 127))
                }
            }
            return result
        }
    }
}

/// libzbar's scanner, set to QR codes only.
private final class QRScanner {
    private let scanner: OpaquePointer

    init?() {
        guard let scanner = zbar_image_scanner_create() else { return nil }
        self.scanner = scanner
        _ = zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0)
        _ = zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1)
    }

    deinit { zbar_image_scanner_destroy(scanner) }

    func scan(_ grey: [UInt8], width: Int, height: Int) -> [String] {
        guard let image = zbar_image_create() else { return [] }
        defer { zbar_image_destroy(image) }
        zbar_image_set_format(image, 0x3030_3859)  // "Y800", little-endian: 8 bits of brightness a pixel
        zbar_image_set_size(image, UInt32(width), UInt32(height))
        return grey.withUnsafeBytes { bytes in
            // The image borrows the bytes: it is scanned and its results are copied before they go away, and it frees nothing.
            zbar_image_set_data(image, bytes.baseAddress, UInt(bytes.count), nil)
            guard zbar_scan_image(scanner, image) > 0 else { return [] }
            var texts: [String] = []
            var symbol = zbar_image_first_symbol(image)
            while let current = symbol {
                if let data = zbar_symbol_get_data(current) {
                    let bytes = UnsafeBufferPointer(start: data, count: Int(zbar_symbol_get_data_length(current)))
                    texts.append(String(decoding: bytes.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self))
                }
                symbol = zbar_symbol_next(current)
            }
            return texts
        }
    }
}
