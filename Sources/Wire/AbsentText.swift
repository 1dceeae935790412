extension String {
    /// Absent text is empty on the wire.
    package var nonEmpty: String? { isEmpty ? nil : self }
}
