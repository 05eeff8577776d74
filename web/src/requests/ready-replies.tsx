import { Button, Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'
import { useLanguage } from '../language/language'

export type Replies = components['schemas']['ReadyReplies']
export type ReadyReply = Replies['replies'][number]

export const useReadyReplies = () => useQuery({ queryKey: [...planningKey, 'ready-replies'], queryFn: () => body(client.GET('/api/v1/ready-replies')) })

/** Whose answer is written: those of its category come first, in the citizen's language where they have it. */
export interface ReadyFor { category: number; language: string }

/** Inserts a ready reply into the answer, where it can be changed before it is sent. */
export function ReadyReplies({ of, onPick }: { of: ReadyFor; onPick: (words: string) => void }) {
  const { code, text } = useLanguage()
  const { data, refetch } = useReadyReplies()
  const own = (data?.replies ?? []).filter(({ category }) => category === of.category)
  const all = (data?.replies ?? []).filter(({ category }) => category == null)
  if (own.length + all.length === 0) return null
  const item = (one: ReadyReply, place: number) => (
    <Menu.Item key={place} onClick={() => onPick((of.language === 'en' && one.text_en) || one.text_fa)} data-testid="ready-reply">
      {(code === 'en' && one.title_en) || one.title_fa}
    </Menu.Item>
  )
  return (
    // A department is told of no change here: the menu asks when it opens, and while it is open it says what is.
    <Menu position="bottom-start" onOpen={() => void refetch()}>
      <Menu.Target><Button size="compact-sm" variant="default" style={{ alignSelf: 'start' }} data-testid="ready-replies">{text.readyReplies.title}</Button></Menu.Target>
      <Menu.Dropdown mah="40vh" style={{ overflowY: 'auto' }}>
        {own.map(item)}
        {own.length > 0 && all.length > 0 && <Menu.Divider />}
        {all.map(item)}
      </Menu.Dropdown>
    </Menu>
  )
}
