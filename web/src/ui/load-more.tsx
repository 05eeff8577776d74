import { Button } from '@mantine/core'
import { useIntersection } from '@mantine/hooks'
import { useEffect } from 'react'
import { useLanguage } from '../language/language'
import style from './rows.module.css'

interface Props {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> }
}

/** Asks for what follows as soon as the end of a list is seen, or at a press. */
export function LoadMore({ query: { hasNextPage, isFetchingNextPage, fetchNextPage } }: Props) {
  const { text } = useLanguage()
  const { ref, entry } = useIntersection<HTMLDivElement>({ rootMargin: '400px' })
  const seen = entry?.isIntersecting ?? false
  useEffect(() => {
    if (seen && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [seen, hasNextPage, isFetchingNextPage, fetchNextPage])
  return (
    <div ref={ref} className={style.more}>
      {hasNextPage && <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>{text.loadMore}</Button>}
    </div>
  )
}
