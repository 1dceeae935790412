package import Domain

extension String {
    /// Absent text is empty on the wire.
    package var nonEmpty: String? { isEmpty ? nil : self }
}

extension Timestamp {
    /// An absent time is 0 on the wire.
    package init?(sent milliseconds: Int64) {
        guard milliseconds != 0 else { return nil }
        self.init(milliseconds: milliseconds)
    }
}
