export const words = {
  departments: {
    title: 'اداره‌ها',
    none: 'هنوز اداره‌ای نیست.',
    add: 'افزودن اداره',
    change: 'تغییر نام',
    nameFa: 'نام فارسی',
    nameEn: 'نام انگلیسی',
    deactivate: 'غیرفعال کردن',
    activate: 'فعال کردن',
    inactive: 'غیرفعال',
    open: 'ارجاع باز',
    overdue: 'دیرکرد',
    show: (name: string) => `گزارش‌های ${name}`,
    about: (name: string) => `کارهای ${name}`,
  },
}
