import Foundation

extension [UInt8] {
    /// As the generated messages hold bytes.
    var data: Data { Data(self) }
}
