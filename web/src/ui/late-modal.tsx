import { Modal, type ModalProps } from '@mantine/core'
import { useMounted } from '@mantine/hooks'

/** Opens once it is there: so it knows where the cursor was, and leads back to it. */
export default function LateModal({ opened, ...props }: ModalProps) {
  const there = useMounted()
  return <Modal {...props} opened={there && opened} transitionProps={{ duration: 0 }} />
}
