import Domain
import Storage
import Testing

@Suite("Answers in a column")
struct AnswerListTests {
    private static let answers: [ChallengeMachine.Answered] = [
        .init(
            digest: Array(0..<32), reply: .init(status: .pending, reason: nil),
            at: Timestamp(milliseconds: 1_764_428_400_123)),
        .init(digest: [255, 0], reply: .init(status: .denied, reason: .wrongNumber), at: Timestamp(milliseconds: 0)),
        .init(digest: [], reply: .init(status: .approved), at: Timestamp(milliseconds: -1)),
    ]

    @Test("what is written is read again", arguments: 0...3)
    func roundTrip(_ count: Int) throws {
        let answers = Array(Self.answers.prefix(count))
        #expect(try AnswerList.answers(AnswerList.text(answers)) == answers)
        #expect(try AnswerList.answers(AnswerList.json(answers)) == answers)
    }

    @Test(
        "anything else is corrupt",
        arguments: [
            "7000 denied", "7000 denied declined AQ== more", "soon denied declined AQ==", "7000 refused declined AQ==",
            "7000 denied why AQ==",
            "7000 denied declined A", "7000 denied declined AQ==\n", "[{}]", "\n",
        ])
    func corrupt(_ text: String) {
        #expect(throws: StorageError.corrupt) { try AnswerList.answers(text) }
    }
}
