import { Button, CopyButton, Group } from '@mantine/core'
import type { components } from '../../shared/api/schema.gen'
import { useLanguage } from '../language/language'
import style from './rounds.module.css'

interface Props {
  language: string
  notice: components['schemas']['NoticeText']
}

/** A round's notice in one language, and its short text for social networks ready to be copied. */
export function NoticeArticle({ language, notice: { title, body, short } }: Props) {
  const { direction, text } = useLanguage()
  return (
    <article lang={language} dir={language === 'fa' ? 'rtl' : 'ltr'} className={style.notice}>
      <h3>{title}</h3>
      <p>{body}</p>
      <Group justify="flex-end">
        <CopyButton value={short}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="subtle" onClick={copy} dir={direction}>{copied ? text.rounds.copied : text.rounds.copy}</Button>
          )}
        </CopyButton>
      </Group>
    </article>
  )
}
