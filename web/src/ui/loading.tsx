import { Center, Loader } from '@mantine/core'
import { useLanguage } from '../language/language'

export function Loading() {
  const { text } = useLanguage()
  return (
    <Center mih="60vh" role="status" data-testid="loading" aria-label={text.loading}>
      <Loader type="dots" />
    </Center>
  )
}
