package import Domain
import Foundation

/// The answers of a challenge in one column. In SQLite a line each: when, what the phone was told and why, and the digest in base64. In
/// PostgreSQL, where processes of another version may read it, and in older rows of SQLite: JSON. Nothing when there are none.
package enum AnswerList {
    package static func text(_ answers: [ChallengeMachine.Answered]) -> String {
        answers.map { answer in
            let reply = answer.reply
            let digest = Data(answer.digest).base64EncodedString()
            return "\(answer.at.milliseconds) \(reply.status.rawValue) \(reply.reason?.rawValue ?? none) \(digest)"
        }.joined(separator: "\n")
    }

    package static func json(_ answers: [ChallengeMachine.Answered]) throws -> String {
        answers.isEmpty ? "" : String(decoding: try JSONEncoder().encode(answers), as: UTF8.self)
    }

    /// Throws `corrupt` for anything but what `text` or `json` returns.
    package static func answers(_ text: String) throws(StorageError) -> [ChallengeMachine.Answered] {
        if text.isEmpty { return [] }
        if text.hasPrefix("[") {
            let answers = try? JSONDecoder().decode([ChallengeMachine.Answered].self, from: Data(text.utf8))
            guard let answers else { throw .corrupt }
            return answers
        }
        var answers: [ChallengeMachine.Answered] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { answers.append(try answer(line)) }
        return answers
    }

    private static func answer(_ line: Substring) throws(StorageError) -> ChallengeMachine.Answered {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 4, let at = Int64(parts[0]), let status = ChallengeStatus(rawValue: String(parts[1])),
            let digest = Data(base64Encoded: String(parts[3]))
        else { throw .corrupt }
        let reason = DenialReason(rawValue: String(parts[2]))
        guard reason != nil || parts[2] == none else { throw .corrupt }
        return ChallengeMachine.Answered(
            digest: Array(digest), reply: .init(status: status, reason: reason), at: Timestamp(milliseconds: at))
    }

    private static let none = "-"
}
