import { Modal, Stack, Text } from '@mantine/core'
import { Codes } from '../account/codes'
import { useFreshCodes } from '../account/queries'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { useEscape } from '../ui/use-escape'
import { Steps } from './steps'

const stays = () => undefined

/** Over the page whose session has ended: the phone goes on, and what is typed stays. */
export default function SignInAgain({ me }: { me: Me }) {
  const { text } = useLanguage()
  const codes = useFreshCodes()
  useEscape(true, stays)
  return (
    <Modal
      opened onClose={stays} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} centered zIndex={400}
      title={text.signInAgain.title} overlayProps={{ blur: 3 }} data-testid="sign-in-again"
    >
      {codes ? <Codes codes={codes} /> : (
        <Stack gap="md">
          <Text size="sm">{text.signInAgain.help(me.name)}</Text>
          <div><Steps mine={me.username} /></div>
        </Stack>
      )}
    </Modal>
  )
}
