import type { words as fa } from './words.fa'

export const words: typeof fa = {
  subjects: {
    title: 'Subjects',
    help: 'Callers choose a subject by its number. The names are shown on every page; what is heard on the telephone is the prompt, and does not change with the name.',
    fa: 'Persian name',
    en: 'English name',
    offered: 'Said on the telephone',
    key: (key) => `Key ${key}`,
    save: 'Save',
    heard: 'On the telephone:',
  },
  deskWords: {
    title: 'Ready notes',
    help: 'Desks press one instead of writing it; they are shown in this order.',
    add: 'New note',
    remove: 'Remove',
    breaks: 'Names of breaks',
    breaksHelp: 'What is empty has our own name. Reports stay as they are.',
    save: 'Save the words',
    saved: 'The words of the desks are saved.',
    bothLanguages: 'Each needs its words in both languages.',
    overtaken: 'Meanwhile somebody else has saved other words. What you save replaces theirs.',
    takeTheirs: 'Show theirs',
  },
}
