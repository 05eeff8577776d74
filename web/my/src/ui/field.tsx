import { cloneElement, type ComponentChildren, type VNode } from 'preact'
import { useId } from 'preact/hooks'
import { room } from './room'

interface Props {
  label: string
  wrong?: string
  children: VNode<{ value?: unknown, maxLength?: number }>
}

/** A field with its name above it, and what is wrong with it below; near its end, how much room is left. */
export function Field({ label, wrong = '', children }: Props) {
  const id = useId()
  const { value, maxLength } = children.props
  const told = wrong ? { 'aria-invalid': true, 'aria-describedby': `${id}-wrong` } : {}
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {cloneElement(children, { id, ...told })}
      {maxLength && typeof value === 'string' ? <p class="soft" role="status">{room(value, maxLength)}</p> : null}
      <Wrong id={`${id}-wrong`}>{wrong}</Wrong>
    </div>
  )
}

/** One choice of several, and what is wrong with it below. */
export function Choices({ legend, wrong = '', children }: { legend: string; wrong?: string; children: ComponentChildren }) {
  const id = useId()
  return (
    <fieldset aria-describedby={wrong ? id : undefined}>
      <legend>{legend}</legend>
      {children}
      <Wrong id={id}>{wrong}</Wrong>
    </fieldset>
  )
}

/** An error message. Its element stays in the page: screen readers announce text that enters an alert, and miss many a new alert. */
export const Wrong = ({ id, children }: { id?: string; children: string }) => <p class="wrong" role="alert" id={id}>{children}</p>
