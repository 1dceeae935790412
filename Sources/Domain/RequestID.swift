/// Names one request for its whole life: the same across retries and instances, so effects are keyed by it. A UUID version 7
/// (RFC 9562 section 5.7), or, for a request that another one caused, derived from its parent.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 7 UUID from milliseconds since 1970 and 10 random bytes' worth of bits.
    package init(milliseconds: Int64, random: (UInt64, UInt64)) {
        high = UInt64(bitPattern: milliseconds) << 16 | 0x7000 | random.0 & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// From the digest of a caller's Idempotency-Key, caller and path: a version 8 UUID (RFC 9562 section 5.8).
    package init(idempotencyDigest digest: [UInt8]) {
        precondition(digest.count >= 16, "an idempotency digest has 16 bytes or more")
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        high = word(digest[0..<8]) & ~0xF000 | 0x8000
        low = 0x8000_0000_0000_0000 | word(digest[8..<16]) & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Whether a caller of the public API chose it, so that its effect is remembered for a day.
    package var isCallersKey: Bool { high >> 12 & 0xF == 8 && low >> 62 == 2 }

    /// A fresh id at `time`.
    package static func make(at time: Timestamp) -> RequestID {
        var generator = SystemRandomNumberGenerator()
        return RequestID(milliseconds: time.milliseconds, random: (generator.next(), generator.next()))
    }

    /// The id of the `index`th request that this one causes with `method`: a repeat of the parent repeats its children.
    package func child(method: UInt16, index: UInt16 = 0) -> RequestID {
        // Two rounds of a 64-bit mix (SplitMix64's finaliser): spreads ids apart; not a security boundary.
        func mix(_ value: UInt64) -> UInt64 {
            var z = value
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        let salt = UInt64(method) << 16 | UInt64(index)
        return RequestID(
            high: mix(high &+ salt &* 0x9E37_79B9_7F4A_7C15) & ~0xF000 | (isCallersKey ? 0x8000 : 0xF000),
            low: 0x8000_0000_0000_0000 | mix(low ^ mix(high ^ salt)) & 0x3FFF_FFFF_FFFF_FFFF)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { high.hexadecimal + low.hexadecimal }

    /// Reads 32 hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else {
            return nil
        }
        self.init(high: high, low: low)
    }
}
