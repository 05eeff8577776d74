/** One's own day and week at the desk. */
export const words = {
  mine: {
    title: 'آمار من',
    week: (first: string, last: string) => `هفتهٔ ${first} تا ${last}`,
    earlier: 'هفتهٔ پیش',
    later: 'هفتهٔ بعد',
    day: 'روز',
    conversations: 'شمار گفت‌وگوها',
    total: 'همه',
    nothing: 'در این روز کاری پشت میز ثبت نشده است.',
  },
}
