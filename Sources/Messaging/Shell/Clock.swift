extension Duration {
    /// Whole microseconds, rounded towards zero, within what a frame can say.
    var microseconds: UInt64 {
        let parts = components
        guard parts.seconds >= 0, parts.attoseconds >= 0 else { return 0 }
        let whole = UInt64(parts.seconds).multipliedReportingOverflow(by: 1_000_000)
        return whole.overflow ? UInt64.max : whole.partialValue + UInt64(parts.attoseconds / 1_000_000_000_000)
    }

    /// For libzmq's options.
    var wholeMilliseconds: Int32 { Int32(clamping: microseconds / 1_000) }
}
