/** Three dots in one character: it stands for what is left out. */
const LEFT_OUT = "\u2026";

/**
 * The error of a library without what it quotes: every word that is not known becomes `…`. What a
 * parser chokes on is often a value of a payload, and neither the notation of its quotes nor its
 * place in the sentence is promised by anybody.
 */
export function knownWords(text: string, isKnown: (word: string) => boolean): string {
  return text
    .replace(/[\p{L}\p{N}_]+/gu, (word) => (isKnown(word) ? word : LEFT_OUT))
    .replace(/\u2026(?:[^\p{L}\p{N}\s]*\u2026)+/gu, LEFT_OUT);
}

/** The words of a text, as `knownWords` cuts them. */
export function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}_]+/gu) ?? [];
}
