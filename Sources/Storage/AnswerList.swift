package import Domain
import Foundation

/// The answers of a challenge in one column: JSON, and nothing when there are none.
package enum AnswerList {
    package static func json(_ answers: [ChallengeMachine.Answered]) throws -> String {
        answers.isEmpty ? "" : String(decoding: try JSONEncoder().encode(answers), as: UTF8.self)
    }

    /// Throws `corrupt` for anything but what `json` returns.
    package static func answers(_ json: String) throws(StorageError) -> [ChallengeMachine.Answered] {
        if json.isEmpty { return [] }
        guard let answers = try? JSONDecoder().decode([ChallengeMachine.Answered].self, from: Data(json.utf8)) else {
            throw .corrupt
        }
        return answers
    }
}
