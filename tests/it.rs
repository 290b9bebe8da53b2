mod file_faults;
