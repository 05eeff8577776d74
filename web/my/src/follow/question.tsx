import type { Detail } from '../api/types'
import { text } from '../language/language'
import { Field } from '../ui/field'
import { useSaying, useWords, type Heard } from './saying'

interface Props extends Heard {
  request: Detail
}

/** What the department asks me, and my answer. */
export function Question({ request: { tracking, question, question_id: id }, put, again }: Props) {
  const { words, write, forget } = useWords(`question.${tracking}.${id}`)
  const { say, wrong, setWrong, busy } = useSaying(tracking, { put, again })
  if (!question) return null
  const typed = (said: string) => {
    write(said)
    setWrong('')
  }
  const answer = (event: Event) => {
    event.preventDefault()
    if (words.trim()) void say('say', () => Promise.resolve({ json: { answer: words, question: id } }), forget)
    else setWrong(text.requests.answerMissing)
  }
  return (
    <section class="how" aria-labelledby="question">
      <form onSubmit={answer}>
        <h2 id="question">{text.requests.question}</h2>
        <p class="words"><bdi>{question}</bdi></p>
        <Field label={text.requests.answer} wrong={wrong}>
          <textarea rows={3} maxLength={1000} value={words} onInput={(event) => typed(event.currentTarget.value)} />
        </Field>
        <button disabled={busy}>{text.requests.object}</button>
      </form>
    </section>
  )
}
